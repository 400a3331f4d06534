#include "CKernelsOptimizers.h"

#include <math.h>
#include <string.h>

// Contracting a * b + c would give different bits on machines with and without FMA.
#pragma STDC FP_CONTRACT OFF

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define INLINE static inline __attribute__((always_inline))

// Rows are processed 16 numbers at a time; the end of a row is padded with zeros, which every
// update maps to zeros. A vector type keeps a block in registers over a whole replay; arrays of 16
// were split and shuffled. Blocks are passed by address because the calling convention of such a
// type depends on the instruction set; everything here is inlined.
enum { LANES = 16 };
typedef float block __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t block_bits __attribute__((vector_size(LANES * sizeof(float))));

INLINE void load(block *b, const void *source, size_t count) {
  *b = (block){0};
  memcpy(b, source, count * sizeof(float));
}

INLINE void store(float *target, const block *b, size_t count) {
  memcpy(target, b, count * sizeof(float));
}

INLINE int is_zero(const block *b) {
  return __builtin_reduce_or((block_bits)*b & 0x7FFFFFFF) == 0;
}

// Keeps the numbers whose magnitude is at least FLT_MIN (and NaN), and sets the others to zero.
INLINE void drop_subnormals(block *b) {
  block_bits magnitude = (block_bits)*b & 0x7FFFFFFF;
  *b = (block)((block_bits)*b & (magnitude >= 0x00800000));
}

// The only place with Adam's arithmetic, so dense and replayed updates cannot differ.
INLINE void adam(
    block *w, block *m, block *v, const block *g, const mrdib_adam_constants *c,
    mrdib_adam_step step) {
  *m = c->beta1 * *m + c->complement1 * *g;
  *v = c->beta2 * *v + c->complement2 * *g * *g;
  drop_subnormals(m);
  drop_subnormals(v);
  *w -= step.step_size * *m / (__builtin_elementwise_sqrt(*v) * step.inverse_root + c->epsilon);
}

INLINE void adam_span(
    float *row, const char *gradient, size_t start, size_t count, size_t width,
    const mrdib_adam_constants *c, mrdib_adam_step step) {
  block w;
  load(&w, row + start, count);
  block m;
  load(&m, row + width + start, count);
  block v;
  load(&v, row + 2 * width + start, count);
  block g;
  load(&g, gradient + start * sizeof(float), count);
  adam(&w, &m, &v, &g, c, step);
  store(row + start, &w, count);
  store(row + width + start, &m, count);
  store(row + 2 * width + start, &v, count);
}

CLONES void mrdib_adam_update(
    float *row, const void *gradient, size_t width, const mrdib_adam_constants *constants,
    mrdib_adam_step step) {
  const mrdib_adam_constants c = *constants;
  size_t start = 0;
  for (; start + LANES <= width; start += LANES)
    adam_span(row, gradient, start, LANES, width, &c, step);
  if (start < width) adam_span(row, gradient, start, width - start, width, &c, step);
}

// The number of steps that are replayed between two checks whether the moments are zero.
enum { REPLAY_RUN = 32 };

INLINE void replay_span(
    float *row, size_t start, size_t count, size_t width, const mrdib_adam_constants *c,
    const mrdib_adam_step *steps, size_t step_count) {
  block w;
  load(&w, row + start, count);
  block m;
  load(&m, row + width + start, count);
  block v;
  load(&v, row + 2 * width + start, count);
  const block zero = {0};
  size_t step = 0;
  while (step < step_count && !is_zero(&m)) {
    size_t end = step_count - step < REPLAY_RUN ? step_count : step + REPLAY_RUN;
    for (; step < end; step++) adam(&w, &m, &v, &zero, c, steps[step]);
  }
  // Without a first moment the weights no longer change, and only the second moment decays.
  while (step < step_count && !is_zero(&v)) {
    size_t end = step_count - step < REPLAY_RUN ? step_count : step + REPLAY_RUN;
    for (; step < end; step++) {
      v = c->beta2 * v;
      drop_subnormals(&v);
    }
  }
  store(row + start, &w, count);
  store(row + width + start, &m, count);
  store(row + 2 * width + start, &v, count);
}

CLONES void mrdib_adam_replay(
    float *row, size_t width, const mrdib_adam_constants *constants, const mrdib_adam_step *steps,
    size_t count) {
  const mrdib_adam_constants c = *constants;
  size_t start = 0;
  for (; start + LANES <= width; start += LANES)
    replay_span(row, start, LANES, width, &c, steps, count);
  if (start < width) replay_span(row, start, width - start, width, &c, steps, count);
}

INLINE void move_span(
    float *weights, const float *row, size_t start, size_t count, size_t width, float epsilon,
    mrdib_adam_gap gap) {
  block w;
  load(&w, weights + start, count);
  block m;
  load(&m, row + width + start, count);
  block v;
  load(&v, row + 2 * width + start, count);
  block inverse = 1 / (__builtin_elementwise_sqrt(v) + epsilon * gap.mean);
  block ratio = epsilon * inverse;
  w -= gap.sum * m * inverse * (1 + gap.variance * (ratio * ratio));
  store(weights + start, &w, count);
}

CLONES void mrdib_adam_move(
    float *weights, const float *row, size_t width, const mrdib_adam_constants *constants,
    mrdib_adam_gap gap) {
  // Without a first moment, or at a learning rate of zero; the mean is then not defined.
  if (gap.sum == 0) return;
  const float epsilon = constants->epsilon;
  size_t start = 0;
  for (; start + LANES <= width; start += LANES)
    move_span(weights, row, start, LANES, width, epsilon, gap);
  if (start < width) move_span(weights, row, start, width - start, width, epsilon, gap);
}

INLINE void decay_span(float *moments, size_t count, float decay) {
  block x;
  load(&x, moments, count);
  x *= decay;
  drop_subnormals(&x);
  store(moments, &x, count);
}

CLONES void mrdib_adam_decay(float *row, size_t width, mrdib_adam_gap gap) {
  float *m = row + width, *v = row + 2 * width;
  size_t start = 0;
  for (; start + LANES <= width; start += LANES) {
    decay_span(m + start, LANES, gap.decay1);
    decay_span(v + start, LANES, gap.decay2);
  }
  if (start < width) {
    decay_span(m + start, width - start, gap.decay1);
    decay_span(v + start, width - start, gap.decay2);
  }
}

INLINE void adagrad_span(
    float *row, const char *gradient, size_t start, size_t count, size_t width, float rate,
    float epsilon) {
  block w;
  load(&w, row + start, count);
  block s;
  load(&s, row + width + start, count);
  block g;
  load(&g, gradient + start * sizeof(float), count);
  s += g * g;
  w -= rate * g / (__builtin_elementwise_sqrt(s) + epsilon);
  store(row + start, &w, count);
  store(row + width + start, &s, count);
}

CLONES void mrdib_adagrad_update(
    float *row, const void *gradient, size_t width, float rate, float epsilon) {
  size_t start = 0;
  for (; start + LANES <= width; start += LANES)
    adagrad_span(row, gradient, start, LANES, width, rate, epsilon);
  if (start < width) adagrad_span(row, gradient, start, width - start, width, rate, epsilon);
}

// An unaligned load is a memcpy of one number, which vectorises.
INLINE float number(const char *values, size_t index) {
  float x;
  memcpy(&x, values + index * sizeof(float), sizeof x);
  return x;
}

// The squares of a row are added in 16 sums, which are then added pairwise by halves, so that
// every instruction set adds in the same order.
INLINE float mean_square(const char *gradient, size_t width) {
  block sums = {0};
  size_t start = 0;
  for (; start < width; start += LANES) {
    block g;
    load(&g, gradient + start * sizeof(float), width - start < LANES ? width - start : LANES);
    sums += g * g;
  }
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
  return sums[0] / (float)width;
}

CLONES void mrdib_rowwise_adagrad_update(
    float *restrict row, const void *restrict gradient, size_t width, float rate, float epsilon) {
  float sum = row[width] + mean_square(gradient, width);
  row[width] = sum;
  float multiplier = rate / (sqrtf(sum) + epsilon);
  const char *g = gradient;
  for (size_t i = 0; i < width; i++) row[i] -= multiplier * number(g, i);
}

CLONES void mrdib_sgd_update(
    float *restrict row, const void *restrict gradient, size_t width, float rate) {
  for (size_t i = 0; i < width; i++) row[i] -= rate * number(gradient, i);
}

CLONES void mrdib_average_update(
    float *restrict row, const void *restrict values, size_t width, float rate) {
  float keep = 1.0f - rate;
  for (size_t i = 0; i < width; i++) row[i] = keep * row[i] + rate * number(values, i);
}

CLONES void mrdib_add(float *restrict sum, const void *restrict values, size_t count) {
  for (size_t i = 0; i < count; i++) sum[i] += number(values, i);
}

CLONES void mrdib_add_pair(
    float *restrict sum, const void *restrict left, const void *restrict right, size_t count) {
  for (size_t i = 0; i < count; i++) sum[i] = number(left, i) + number(right, i);
}

CLONES static int has_nonfinite(const char *values, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, values + i * sizeof bits, sizeof bits);
    bits &= 0x7FFFFFFFu;
    largest = bits > largest ? bits : largest;
  }
  return largest >= 0x7F800000u;
}

size_t mrdib_first_nonfinite(const void *values, size_t count) {
  enum { CHUNK = 4096 };
  for (size_t start = 0; start < count; start += CHUNK) {
    size_t length = count - start < CHUNK ? count - start : CHUNK;
    if (!has_nonfinite((const char *)values + start * sizeof(float), length)) continue;
    for (size_t i = start; i < start + length; i++)
      if (!isfinite(number(values, i))) return i;
  }
  return count;
}
