#include <math.h>
#include <string.h>

#include "CKernelsRandom.h"
#include "philox.h"

// A row of noise is drawn 16 counters (64 numbers, one embedding row) at a time in plain loops over
// arrays, which the compiler vectorises; a libm call per number made this the most expensive part
// of a sampling step.
enum { LANES = PHILOX_LANES };

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

// Natural logarithm of x in (0, 1], relative error below 1e-7 (minimax polynomial on
// [1/sqrt 2, sqrt 2] as in Cephes' logf).
static inline float log_unit(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  int32_t exponent = (int32_t)(bits - 0x3F3504F3u) >> 23;
  bits -= (uint32_t)exponent << 23;
  float m;
  memcpy(&m, &bits, 4);
  m -= 1.0f;
  float e = (float)exponent;
  float z = m * m;
  float y = 7.0376836292e-2f;
  y = y * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y = y * m * z;
  y += e * -2.12194440e-4f;
  y -= 0.5f * z;
  return m + y + e * 0.693359375f;
}

// sin and cos of 2*pi*u, u in [0, 1): the polynomials take at most an eighth of a turn.
static inline void sincos_turn(float u, float *sine, float *cosine) {
  float quarter = (float)(int32_t)(u * 4.0f + 0.5f);
  float r = (u - quarter * 0.25f) * 6.283185307179586f;  // in [-pi/4, pi/4]
  float z = r * r;
  float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z *
                z -
            0.5f * z + 1.0f;
  int32_t q = (int32_t)quarter & 3;
  float a = (q & 1) ? c : s;
  float b = (q & 1) ? s : c;
  *sine = (q & 2) ? -a : a;
  *cosine = (q == 1 || q == 2) ? -b : b;
}

CLONES static void normal_block(
    float *restrict out, uint32_t key0, uint32_t key1, uint32_t first, uint32_t id, uint32_t step,
    uint32_t epoch) {
  uint32_t draws[4][LANES];
  philox_block(draws, key0, key1, first, id, step, epoch);
  const uint32_t *x = draws[0], *y = draws[1], *z = draws[2], *w = draws[3];
  float n0[LANES], n1[LANES], n2[LANES], n3[LANES];
  for (int i = 0; i < LANES; i++) {
    // (word + 1) * 2^-24 lies in (0, 1]: its logarithm is finite.
    float radius = sqrtf(-2.0f * log_unit((float)((x[i] >> 8) + 1) * 0x1p-24f));
    float sine, cosine;
    sincos_turn((float)(y[i] >> 8) * 0x1p-24f, &sine, &cosine);
    n0[i] = radius * cosine;
    n1[i] = radius * sine;
  }
  for (int i = 0; i < LANES; i++) {
    float radius = sqrtf(-2.0f * log_unit((float)((z[i] >> 8) + 1) * 0x1p-24f));
    float sine, cosine;
    sincos_turn((float)(w[i] >> 8) * 0x1p-24f, &sine, &cosine);
    n2[i] = radius * cosine;
    n3[i] = radius * sine;
  }
  for (int i = 0; i < LANES; i++) {
    out[4 * i] = n0[i];
    out[4 * i + 1] = n1[i];
    out[4 * i + 2] = n2[i];
    out[4 * i + 3] = n3[i];
  }
}

void mrdib_normal_fill(
    float *values, size_t count, uint32_t key0, uint32_t key1, uint32_t id, uint32_t step,
    uint32_t epoch) {
  float block[4 * LANES];
  for (size_t start = 0; start < count; start += 4 * LANES) {
    normal_block(block, key0, key1, (uint32_t)(start / 4), id, step, epoch);
    size_t n = count - start < 4 * LANES ? count - start : 4 * LANES;
    memcpy(values + start, block, n * sizeof(float));
  }
}
