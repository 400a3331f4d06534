#include "CKernelsUnitRows.h"

#include <math.h>

// Contracting a * b + c would give different bits on machines with and without FMA.
#pragma STDC FP_CONTRACT OFF

// Two BLAS calls and a loop for each of some thousand rows per step cost as much as the soft-max
// between them.
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// Partial sums in a fixed order: independent of the width of a vector register.
enum { LANES = 16 };

// Inlined into each clone, which compiles it for its own instructions.
__attribute__((always_inline)) static inline float product(const float *x, const float *y, size_t width) {
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= width; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += x[i + lane] * y[i + lane];
  for (size_t lane = 0; i < width; i++, lane++) lanes[lane] += x[i] * y[i];
  float total = 0;
  for (size_t lane = 0; lane < LANES; lane++) total += lanes[lane];
  return total;
}

CLONES void mrdib_unit_rows(
    const float *restrict x, const int32_t *rows, size_t row_count, size_t width,
    float *restrict unit, float *restrict inverse_norms) {
  for (size_t position = 0; position < row_count; position++) {
    const float *source = x + (size_t)rows[position] * width;
    float *target = unit + position * width;
    float norm = sqrtf(product(source, source, width));
    float inverse = 1.0f / (norm > 1e-12f ? norm : 1e-12f);
    inverse_norms[position] = inverse;
    for (size_t i = 0; i < width; i++) target[i] = inverse * source[i];
  }
}

CLONES void mrdib_unit_rows_adjoint(
    const float *restrict unit, const float *restrict inverse_norms,
    const float *restrict gradient, const int32_t *rows, size_t row_count, int32_t first,
    int32_t end, size_t width, float *restrict target) {
  for (size_t position = 0; position < row_count; position++) {
    if (rows[position] < first || rows[position] >= end) continue;
    const float *y = unit + position * width, *g = gradient + position * width;
    float *sum = target + (size_t)rows[position] * width;
    float inverse = inverse_norms[position], along = product(y, g, width);
    for (size_t i = 0; i < width; i++) sum[i] += (g[i] - along * y[i]) * inverse;
  }
}
