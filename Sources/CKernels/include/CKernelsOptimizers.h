#pragma once
#include <stddef.h>
#include <stdint.h>

// Row updates of the parameter servers. A row keeps its weights and its optimizer state together:
// `width` weights, then (Adagrad) `width` sums of squares, (row-wise Adagrad) one sum, or (Adam)
// `width` first and `width` second moments. Gradients may start at any address. No operation is
// contracted or reordered, so every instruction set gives the same bits.

/// What an Adam run keeps constant; `complement` is 1 - beta.
typedef struct {
  float beta1, complement1;
  float beta2, complement2;
  float epsilon;
} mrdib_adam_constants;

/// What changes from step to step: learning rate / (1 - beta1^t), and 1 / sqrt(1 - beta2^t).
///
/// The other numbers are those of the closed form, and 0 where it is not used. With
/// a_j = step_size beta1^j / (beta2^(j/2) inverse_root) and c_j = 1 / (beta2^(j/2) inverse_root),
/// both of the step t + j, `sums` are the sums of a_j, a_j c_j and a_j c_j^2 over the steps after
/// this step t but the last one of the run; `decay1` and `decay2` are beta1^t and beta2^t.
typedef struct {
  float step_size;
  float inverse_root;
  double sums[3];
  float decay1, decay2;
} mrdib_adam_step;

/// The closed form of some steps with a zero gradient: A, the sum of a_j; the mean and the variance
/// of c_j with weights a_j; and what the moments are multiplied by.
typedef struct {
  float sum, mean, variance;
  float decay1, decay2;
} mrdib_adam_gap;

/// One Adam update of a row, `[3 * width]`:
/// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// w -= step_size m / (sqrt(v) inverse_root + epsilon).
/// Moments below FLT_MIN become zero: they are far below what moves a weight, and arithmetic on
/// subnormal numbers is slow.
void mrdib_adam_update(
    float *row, const void *gradient, size_t width, const mrdib_adam_constants *constants,
    mrdib_adam_step step);

/// `count` Adam updates of a row with a zero gradient, one per element of `steps`; the same bits
/// as `count` calls of `mrdib_adam_update` with zeros.
void mrdib_adam_replay(
    float *row, size_t width, const mrdib_adam_constants *constants, const mrdib_adam_step *steps,
    size_t count);

/// Moves weights, `[width]`, by the steps of a gap after the row, `[3 * width]`, was last updated:
/// w -= A m / d (1 + variance (epsilon / d)^2), d = sqrt(v) + epsilon mean. That is the sum of the
/// updates but for terms of third order in the spread of c_j. `weights` may be those of the row.
void mrdib_adam_move(
    float *weights, const float *row, size_t width, const mrdib_adam_constants *constants,
    mrdib_adam_gap gap);

/// Multiplies the moments of a row, `[3 * width]`, by what they decay in a gap.
void mrdib_adam_decay(float *row, size_t width, mrdib_adam_gap gap);

/// One Adagrad update of a row, `[2 * width]`: s += g^2; w -= rate g / (sqrt(s) + epsilon).
void mrdib_adagrad_update(
    float *row, const void *gradient, size_t width, float rate, float epsilon);

/// One update of row-wise Adagrad, `[width + 1]`: s += mean of g^2;
/// w -= rate / (sqrt(s) + epsilon) g.
void mrdib_rowwise_adagrad_update(
    float *row, const void *gradient, size_t width, float rate, float epsilon);

/// w -= rate g.
void mrdib_sgd_update(float *row, const void *gradient, size_t width, float rate);

/// w = (1 - rate) w + rate g.
void mrdib_average_update(float *row, const void *values, size_t width, float rate);

/// sum += values, element by element.
void mrdib_add(float *sum, const void *values, size_t count);

/// sum = left + right, element by element.
void mrdib_add_pair(float *sum, const void *left, const void *right, size_t count);

/// The index of the first number that is infinite or NaN; `count` if there is none.
size_t mrdib_first_nonfinite(const void *values, size_t count);

/// Prefetches the cache lines of a row that will be written soon. Of a long row only the first
/// 1 KiB: the hardware prefetcher continues from there.
static inline void mrdib_prefetch(const void *address, size_t bytes) {
  const char *start = (const char *)address;
  size_t end = bytes < 1024 ? bytes : 1024;
  for (size_t offset = 0; offset < end; offset += 64) __builtin_prefetch(start + offset, 1, 3);
}
