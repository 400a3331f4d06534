#include "CKernelsSparse.h"

#include <string.h>

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// A sum of 64 floats stays in registers over the row's entries; other widths are done in slices.
// The x rows of later entries are prefetched, because their addresses are irregular.
CLONES void mrdib_sparse_multiply(
    const int64_t *offsets, const int32_t *columns, const float *values, size_t row_count,
    const float *x, size_t width, float *restrict y, int adds) {
  for (size_t row = 0; row < row_count; row++) {
    int64_t begin = offsets[row], end = offsets[row + 1];
    float *target = y + row * width;
    size_t start = 0;
    for (; start + 64 <= width; start += 64) {
      float sum[64];
      memset(sum, 0, sizeof sum);
      for (int64_t entry = begin; entry < end; entry++) {
        if (entry + 4 < end)
          __builtin_prefetch(x + (size_t)columns[entry + 4] * width + start);
        const float *source = x + (size_t)columns[entry] * width + start;
        float value = values[entry];
        for (size_t lane = 0; lane < 64; lane++) sum[lane] += value * source[lane];
      }
      if (adds) {
        for (size_t lane = 0; lane < 64; lane++) target[start + lane] += sum[lane];
      } else {
        memcpy(target + start, sum, sizeof sum);
      }
    }
    for (; start < width; start++) {
      float sum = 0;
      for (int64_t entry = begin; entry < end; entry++)
        sum += values[entry] * x[(size_t)columns[entry] * width + start];
      target[start] = adds ? target[start] + sum : sum;
    }
  }
}

// Compares bits instead of numbers: an OR over a row vectorises, and shifting out the sign makes
// -0 a zero.
CLONES size_t mrdib_nonzero_rows(
    const float *x, size_t row_count, size_t width, uint32_t *restrict rows) {
  size_t found = 0;
  for (size_t row = 0; row < row_count; row++) {
    const float *values = x + row * width;
    uint32_t bits = 0;
    for (size_t i = 0; i < width; i++) {
      uint32_t value;
      memcpy(&value, values + i, sizeof value);
      bits |= value << 1;
    }
    rows[found] = (uint32_t)row;
    found += bits != 0;
  }
  return found;
}
