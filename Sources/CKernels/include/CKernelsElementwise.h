#pragma once
#include <stddef.h>

/// y = max(x, 0).
void mrdib_relu(const float *x, float *y, size_t count);

/// target = (x > 0 ? gradient : 0), or adds it where `adds` is not 0.
void mrdib_relu_adjoint(
    const float *x, const float *gradient, float *target, size_t count, int adds);

/// y = min(max(x, lower), upper).
void mrdib_clamp(const float *x, float lower, float upper, float *y, size_t count);

/// target = (lower <= x <= upper ? gradient : 0), or adds it where `adds` is not 0.
void mrdib_clamp_adjoint(
    const float *x, float lower, float upper, const float *gradient, float *target, size_t count,
    int adds);

/// y = scale * x.
void mrdib_scaled_copy(const float *x, float scale, float *y, size_t count);
