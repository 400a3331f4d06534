#include "CKernelsSoftmax.h"

#include <math.h>

#include "exponential.h"

// Contracting a * b + c would give different bits on machines with and without FMA.
#pragma STDC FP_CONTRACT OFF

// A contrastive term over a batch of 2,048 computes four million exponentials per step: with a call
// of expf for each they were 40 % of an MGCN step.
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// Maxima and sums use this many lanes, in a fixed order whatever the width of the vectors.
enum { LANES = 16 };

static inline float larger(float a, float b) { return a > b ? a : b; }

CLONES static float largest_of(const float *x, size_t count) {
  float lanes[LANES];
  for (size_t lane = 0; lane < LANES; lane++) lanes[lane] = -INFINITY;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] = larger(x[i + lane], lanes[lane]);
  for (; i < count; i++) lanes[0] = larger(x[i], lanes[0]);
  float largest = lanes[0];
  for (size_t lane = 1; lane < LANES; lane++) largest = larger(lanes[lane], largest);
  return largest;
}

static inline float weight_of(float logit, float largest) {
  float below = logit - largest;
  return below == below ? mrdib_exp_bounded(below) : below;
}

// Replaces logits by exp(logit - largest) and returns the sum.
CLONES static double exponentiate(float *x, float largest, size_t count) {
  double sums[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    float weights[LANES];
    for (size_t lane = 0; lane < LANES; lane++)
      weights[lane] = weight_of(x[i + lane], largest);
    for (size_t lane = 0; lane < LANES; lane++) {
      x[i + lane] = weights[lane];
      sums[lane] += (double)weights[lane];
    }
  }
  for (size_t lane = 0; i < count; i++, lane++) {
    x[i] = weight_of(x[i], largest);
    sums[lane] += (double)x[i];
  }
  double total = 0;
  for (size_t lane = 0; lane < LANES; lane++) total += sums[lane];
  return total;
}

CLONES static void scale(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

void mrdib_softmax_rows(
    float *x, size_t rows, size_t columns, const float *factors, double *log_sums) {
  for (size_t row = 0; row < rows; row++) {
    float *logits = x + row * columns;
    float largest = largest_of(logits, columns);
    double sum = exponentiate(logits, largest, columns);
    log_sums[row] = log(sum) + (double)largest;
    scale(logits, (float)((factors ? (double)factors[row] : 1.0) / sum), columns);
  }
}
