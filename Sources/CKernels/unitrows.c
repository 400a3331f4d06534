#include "CKernelsUnitRows.h"

// Contracting a * b + c would give different bits on machines with and without FMA.
#pragma STDC FP_CONTRACT OFF

// Two BLAS calls and a loop for each of some thousand rows per step cost as much as the soft-max
// between them.
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// Partial sums in a fixed order: independent of the width of a vector register.
enum { LANES = 16 };

CLONES float mrdib_row_product(const float *restrict x, const float *restrict y, size_t width) {
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= width; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += x[i + lane] * y[i + lane];
  for (size_t lane = 0; i < width; i++, lane++) lanes[lane] += x[i] * y[i];
  float total = 0;
  for (size_t lane = 0; lane < LANES; lane++) total += lanes[lane];
  return total;
}

CLONES void mrdib_scale_row(
    const float *restrict x, float factor, float *restrict y, size_t width) {
  for (size_t i = 0; i < width; i++) y[i] = factor * x[i];
}

CLONES void mrdib_unit_row_adjoint(
    const float *restrict unit, const float *restrict gradient, float along, float inverse_norm,
    float *restrict target, size_t width) {
  for (size_t i = 0; i < width; i++)
    target[i] += (gradient[i] - along * unit[i]) * inverse_norm;
}
