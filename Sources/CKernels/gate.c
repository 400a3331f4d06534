#include "CKernelsGate.h"

// Contracting a * b + c would give different bits on machines with and without FMA.
#pragma STDC FP_CONTRACT OFF

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// Partial sums in a fixed order: independent of the width of a vector register. Every row is
// summed by itself, so that rows of zeros change no bit.
enum { LANES = 8 };

static inline size_t start_of(const int32_t *rows, size_t position, size_t width) {
  return (rows ? (size_t)rows[position] : position) * width;
}

static inline double total_of(const double lanes[LANES]) {
  double total = 0;
  for (int lane = 0; lane < LANES; lane++) total += lanes[lane];
  return total;
}

CLONES void mrdib_gradient_products(
    const float *restrict g, const float *restrict a, const int32_t *rows, size_t row_count,
    size_t width, double sums[3]) {
  for (size_t position = 0; position < row_count; position++) {
    size_t start = start_of(rows, position, width);
    const float *x = g + start, *y = a + start;
    double xx[LANES] = {0}, xy[LANES] = {0}, yy[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) {
      for (size_t lane = 0; lane < LANES; lane++) {
        double p = x[i + lane], q = y[i + lane];
        xx[lane] += p * p;
        xy[lane] += p * q;
        yy[lane] += q * q;
      }
    }
    for (; i < width; i++) {
      double p = x[i], q = y[i];
      xx[i % LANES] += p * p;
      xy[i % LANES] += p * q;
      yy[i % LANES] += q * q;
    }
    sums[0] += total_of(xx);
    sums[1] += total_of(xy);
    sums[2] += total_of(yy);
  }
}

CLONES void mrdib_projected_square(
    const float *restrict g, const float *restrict a, double factor, const int32_t *rows,
    size_t row_count, size_t width, double *sum) {
  for (size_t position = 0; position < row_count; position++) {
    size_t start = start_of(rows, position, width);
    const float *x = g + start, *y = a + start;
    double squares[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) {
      for (size_t lane = 0; lane < LANES; lane++) {
        double difference = (double)y[i + lane] - factor * (double)x[i + lane];
        squares[lane] += difference * difference;
      }
    }
    for (; i < width; i++) {
      double difference = (double)y[i] - factor * (double)x[i];
      squares[i % LANES] += difference * difference;
    }
    *sum += total_of(squares);
  }
}

CLONES void mrdib_combine_gradients(
    float *restrict g, const float *restrict a, double g_factor, double a_factor,
    const int32_t *rows, size_t row_count, size_t width) {
  for (size_t position = 0; position < row_count; position++) {
    size_t start = start_of(rows, position, width);
    float *x = g + start;
    const float *y = a + start;
    for (size_t i = 0; i < width; i++)
      x[i] = (float)(g_factor * (double)x[i] + a_factor * (double)y[i]);
  }
}
