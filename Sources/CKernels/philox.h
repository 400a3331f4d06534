#pragma once
#include <stdint.h>
#include <string.h>

// Philox4x32-10 on 16 counters at a time. Words are kept as 64-bit numbers, of which the vector
// multiplication takes the lower halves, so that no round has to move lanes.
enum { PHILOX_LANES = 16, PHILOX_HALF = PHILOX_LANES / 2 };
typedef uint64_t philox_words __attribute__((vector_size(PHILOX_HALF * sizeof(uint64_t))));
typedef uint32_t philox_result __attribute__((vector_size(PHILOX_HALF * sizeof(uint32_t))));

#define PHILOX_INLINE static inline __attribute__((always_inline))

PHILOX_INLINE void philox_store(uint32_t *target, const philox_words *words) {
  philox_result result = __builtin_convertvector(*words, philox_result);
  memcpy(target, &result, sizeof result);
}

/// The draws with the counters (first + lane, counter1, counter2, counter3), word by word.
PHILOX_INLINE void philox_block(
    uint32_t draws[4][PHILOX_LANES], uint32_t key0, uint32_t key1, uint32_t first,
    uint32_t counter1, uint32_t counter2, uint32_t counter3) {
  const philox_words lower = (philox_words){0} + 0xFFFFFFFFu;
  const philox_words lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  philox_words x[2], y[2], z[2], w[2];
  for (int half = 0; half < 2; half++) {
    x[half] = (lanes + (first + (uint32_t)(half * PHILOX_HALF))) & lower;
    y[half] = (philox_words){0} + counter1;
    z[half] = (philox_words){0} + counter2;
    w[half] = (philox_words){0} + counter3;
  }
  for (int round = 0; round < 10; round++) {
    for (int half = 0; half < 2; half++) {
      philox_words p0 = (x[half] & lower) * 0xD2511F53u;
      philox_words p1 = (z[half] & lower) * 0xCD9E8D57u;
      x[half] = (p1 >> 32) ^ y[half] ^ key0;
      y[half] = p1 & lower;
      z[half] = (p0 >> 32) ^ w[half] ^ key1;
      w[half] = p0 & lower;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int half = 0; half < 2; half++) {
    philox_store(draws[0] + half * PHILOX_HALF, &x[half]);
    philox_store(draws[1] + half * PHILOX_HALF, &y[half]);
    philox_store(draws[2] + half * PHILOX_HALF, &z[half]);
    philox_store(draws[3] + half * PHILOX_HALF, &w[half]);
  }
}
