#pragma once
#include <stddef.h>

/// sigma = exp(logvar / 2), z = mu + sigma * eps, over `count` elements.
void mrdib_gaussian_sample(
    const float *mu, const float *logvar, const float *eps, float *sigma, float *z, size_t count);

/// Adds 0.5 * g * eps * sigma (the share of the log-variance) to `target`.
void mrdib_gaussian_sample_adjoint(
    const float *gradient, const float *eps, const float *sigma, float *target, size_t count);

/// Sum over elements of 0.5 * (mu^2 q + exp(logvar) p - 1 - logvar - ln p), p = 1 / prior variance.
/// q = p unless mu is in another unit than exp(logvar / 2).
double mrdib_gaussian_kl(
    const float *mu, const float *logvar, float mean_precision, float precision,
    float log_precision, size_t count);

/// Adds scale * mu * q to `mu_target` and scale * 0.5 * (exp(logvar) p - 1) to `logvar_target`;
/// either may be null.
void mrdib_gaussian_kl_adjoint(
    const float *mu, const float *logvar, float mean_precision, float precision, float scale,
    float *mu_target, float *logvar_target, size_t count);
