#pragma once
#include <stddef.h>
#include <stdint.h>

// Rows whose optimizer states are bfloat16, the upper halves of float32: `width` weights in
// float32, then `states` times `width` numbers of 16 bits. An update computes on a wide row, which
// has the same numbers in float32.

/// What random numbers a row is rounded with: key and counter of Philox4x32-10 without the index
/// of the draw.
typedef struct {
  uint32_t key0, key1;
  uint32_t row, step, table;
} mrdib_rounding;

/// Copies a row to a wide row, `[(1 + states) * width]`; exact.
void mrdib_row_widen(float *wide, const float *row, size_t width, size_t states);

/// Copies a wide row to a row and rounds its states at random to one of the two nearest numbers,
/// to the upper one with the probability (x - lower) / (upper - lower), so that the expected value
/// is x. What is a bfloat16 already stays; what is beyond the largest finite one becomes that.
///
/// Column c of state k (0 or 1) uses 16 bits of the draw with index 16 floor(c / 64) + c mod 16:
/// of its word 2 k + floor((c mod 64) / 32) the lower half if floor((c mod 32) / 16) is 0,
/// otherwise the upper.
void mrdib_row_round(
    float *row, const float *wide, size_t width, size_t states, mrdib_rounding rounding);

/// `count` numbers from bfloat16 to float32; exact. `values` may start at any address.
void mrdib_widen(float *wide, const void *values, size_t count);
