#pragma once
#include <stdint.h>
#include <string.h>

// exp(x) for |x| <= 80, relative error below 2e-7 (range reduction by ln 2 and a degree-6
// polynomial with the coefficients of Cephes' expf); beyond, the value at the nearer end. Loops
// over it vectorise, where a call of expf per element would cost more than the rest of the loop.
// The including file decides whether products and sums may be contracted.
static inline float mrdib_exp_bounded(float x) {
  // NaN becomes -80 here, because casting it would be undefined; callers that must keep NaN handle
  // it themselves.
  x = x > -80.0f ? x : -80.0f;
  x = x < 80.0f ? x : 80.0f;
  float n = x * 1.44269504088896341f;
  n = (float)(int32_t)(n + (n < 0.0f ? -0.5f : 0.5f));
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return y * power;
}
