#include "CKernelsBFloat16.h"

#include <string.h>

#include "philox.h"

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define INLINE static inline __attribute__((always_inline))

enum { LANES = PHILOX_LANES, GROUP = 4 * LANES };

INLINE void widen(float *restrict wide, const char *restrict values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint16_t upper;
    memcpy(&upper, values + i * sizeof upper, sizeof upper);
    uint32_t bits = (uint32_t)upper << 16;
    memcpy(wide + i, &bits, sizeof bits);
  }
}

CLONES void mrdib_widen(float *wide, const void *values, size_t count) {
  widen(wide, values, count);
}

CLONES void mrdib_row_widen(float *wide, const float *row, size_t width, size_t states) {
  memcpy(wide, row, width * sizeof(float));
  widen(wide + width, (const char *)(row + width), states * width);
}

typedef uint32_t bits16 __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef uint16_t upper16 __attribute__((vector_size(LANES * sizeof(uint16_t))));

// Adding 16 random bits to the lower half carries into the upper half with the probability that
// the definition asks for.
INLINE void round_span(
    char *target, const float *source, const uint32_t *words, int shift, size_t count) {
  bits16 noise, bits = {0};
  memcpy(&noise, words, sizeof noise);
  memcpy(&bits, source, count * sizeof(float));
  bits16 sum = bits + ((noise >> shift) & 0xFFFFu);
  // Without noise if that would be infinite, or if the number is: an infinite one has no lower
  // bits, and the largest finite one keeps its upper ones. NaN stays NaN.
  bits16 keeps = (bits16)(((sum & 0x7F800000u) == 0x7F800000u) |
                          ((bits & 0x7F800000u) == 0x7F800000u));
  bits16 isNaN = (bits16)((bits & 0x7FFFFFFFu) > 0x7F800000u);
  sum = (sum & ~keeps) | (bits & keeps) | (isNaN & 0x00400000u);
  upper16 upper = __builtin_convertvector(sum >> 16, upper16);
  memcpy(target, &upper, count * sizeof(uint16_t));
}

CLONES void mrdib_row_round(
    float *row, const float *wide, size_t width, size_t states, mrdib_rounding r) {
  memcpy(row, wide, width * sizeof(float));
  char *target = (char *)(row + width);
  const float *source = wide + width;
  for (size_t start = 0; start < width; start += GROUP) {
    uint32_t words[4][LANES];
    philox_block(words, r.key0, r.key1, (uint32_t)(start / 4), r.row, r.step, r.table);
    for (size_t state = 0; state < states; state++) {
      for (size_t span = 0; span < GROUP / LANES && start + span * LANES < width; span++) {
        const uint32_t *word = words[2 * state + span / 2];
        int shift = span % 2 ? 16 : 0;
        size_t column = start + span * LANES, offset = state * width + column;
        char *place = target + offset * sizeof(uint16_t);
        if (column + LANES <= width)
          round_span(place, source + offset, word, shift, LANES);
        else
          round_span(place, source + offset, word, shift, width - column);
      }
    }
  }
}
