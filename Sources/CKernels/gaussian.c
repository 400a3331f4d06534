#include "CKernelsGaussian.h"

#include "exponential.h"

// A call of expf per element made the encoders cost more than a tenth of a VBPR step; these loops
// vectorise, and their cost is negligible.
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

CLONES void mrdib_gaussian_sample(
    const float *restrict mu, const float *restrict logvar, const float *restrict eps,
    float *restrict sigma, float *restrict z, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float s = mrdib_exp_bounded(0.5f * logvar[i]);
    sigma[i] = s;
    z[i] = mu[i] + s * eps[i];
  }
}

CLONES void mrdib_gaussian_sample_adjoint(
    const float *restrict gradient, const float *restrict eps, const float *restrict sigma,
    float *restrict target, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] += 0.5f * gradient[i] * eps[i] * sigma[i];
}

CLONES double mrdib_gaussian_kl(
    const float *restrict mu, const float *restrict logvar, float mean_precision, float precision,
    float log_precision, size_t count) {
  // Sixteen partial sums in a fixed order: as fast as one vector register and the same bits on
  // every machine of a kind.
  double sums[16] = {0};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t lane = 0; lane < 16; lane++) {
      float m = mu[i + lane], l = logvar[i + lane];
      sums[lane] += (double)(m * m * mean_precision + mrdib_exp_bounded(l) * precision - 1.0f -
                             l - log_precision);
    }
  }
  for (; i < count; i++) {
    float m = mu[i], l = logvar[i];
    sums[i % 16] +=
        (double)(m * m * mean_precision + mrdib_exp_bounded(l) * precision - 1.0f - l - log_precision);
  }
  double total = 0;
  for (int lane = 0; lane < 16; lane++) total += sums[lane];
  return 0.5 * total;
}

CLONES static void kl_adjoint_mu(
    const float *restrict mu, float factor, float *restrict target, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] += factor * mu[i];
}

CLONES static void kl_adjoint_logvar(
    const float *restrict logvar, float precision, float scale, float *restrict target,
    size_t count) {
  for (size_t i = 0; i < count; i++)
    target[i] += scale * 0.5f * (mrdib_exp_bounded(logvar[i]) * precision - 1.0f);
}

void mrdib_gaussian_kl_adjoint(
    const float *mu, const float *logvar, float mean_precision, float precision, float scale,
    float *mu_target, float *logvar_target, size_t count) {
  if (mu_target) kl_adjoint_mu(mu, scale * mean_precision, mu_target, count);
  if (logvar_target) kl_adjoint_logvar(logvar, precision, scale, logvar_target, count);
}
