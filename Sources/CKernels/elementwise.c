#include "CKernelsElementwise.h"

#include <math.h>

#include "exponential.h"

// Contracting a * b + c would give different bits on machines with and without FMA.
#pragma STDC FP_CONTRACT OFF

// Selections, which Swift compiles to branches (the adjoint of relu alone was a tenth of a sampling
// VBPR step, that of leaky relu a sixteenth of an MMGCN step), and exponentials.
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

CLONES void mrdib_relu(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

CLONES void mrdib_relu_adjoint(
    const float *restrict x, const float *restrict gradient, float *restrict target, size_t count,
    int adds) {
  if (adds) {
    for (size_t i = 0; i < count; i++) target[i] += x[i] > 0.0f ? gradient[i] : 0.0f;
  } else {
    for (size_t i = 0; i < count; i++) target[i] = x[i] > 0.0f ? gradient[i] : 0.0f;
  }
}

CLONES void mrdib_leaky_relu(
    const float *restrict x, float slope, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0.0f ? x[i] : slope * x[i];
}

CLONES void mrdib_leaky_relu_adjoint(
    const float *restrict x, float slope, const float *restrict gradient, float *restrict target,
    size_t count, int adds) {
  if (adds) {
    for (size_t i = 0; i < count; i++) target[i] += gradient[i] * (x[i] > 0.0f ? 1.0f : slope);
  } else {
    for (size_t i = 0; i < count; i++) target[i] = gradient[i] * (x[i] > 0.0f ? 1.0f : slope);
  }
}

CLONES void mrdib_sigmoid(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float small = mrdib_exp_bounded(-fabsf(x[i]));
    float value = (x[i] >= 0.0f ? 1.0f : small) / (1.0f + small);
    y[i] = x[i] == x[i] ? value : x[i];
  }
}

CLONES void mrdib_sigmoid_adjoint(
    const float *restrict y, const float *restrict gradient, float *restrict target, size_t count,
    int adds) {
  if (adds) {
    for (size_t i = 0; i < count; i++) target[i] += gradient[i] * y[i] * (1.0f - y[i]);
  } else {
    for (size_t i = 0; i < count; i++) target[i] = gradient[i] * y[i] * (1.0f - y[i]);
  }
}

// Relative error below 3e-7: Cephes' polynomial near 0, where 1 - exp would lose digits, and
// 1 - 2 / (exp(2 |x|) + 1) elsewhere.
static inline float tanh_of(float x) {
  float size = fabsf(x);
  float z = x * x;
  float y = -5.70498872745e-3f;
  y = y * z + 2.06390887954e-2f;
  y = y * z - 5.37397155531e-2f;
  y = y * z + 1.33314422036e-1f;
  y = y * z - 3.33332819422e-1f;
  float near = y * z * size + size;
  float far = 1.0f - 2.0f / (mrdib_exp_bounded(2.0f * size) + 1.0f);
  float value = size < 0.625f ? near : far;
  return x == x ? copysignf(value, x) : x;
}

CLONES void mrdib_tanh_cap(const float *restrict x, float cap, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = cap * tanh_of(x[i] / cap);
}

CLONES void mrdib_tanh_cap_adjoint(
    const float *restrict y, float cap, const float *restrict gradient, float *restrict target,
    size_t count, int adds) {
  if (adds) {
    for (size_t i = 0; i < count; i++)
      target[i] += gradient[i] * (1.0f - (y[i] / cap) * (y[i] / cap));
  } else {
    for (size_t i = 0; i < count; i++)
      target[i] = gradient[i] * (1.0f - (y[i] / cap) * (y[i] / cap));
  }
}

CLONES void mrdib_clamp(
    const float *restrict x, float lower, float upper, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float raised = x[i] > lower ? x[i] : lower;
    y[i] = raised < upper ? raised : upper;
  }
}

CLONES void mrdib_clamp_adjoint(
    const float *restrict x, float lower, float upper, const float *restrict gradient,
    float *restrict target, size_t count, int adds) {
  if (adds) {
    for (size_t i = 0; i < count; i++)
      target[i] += ((x[i] >= lower) & (x[i] <= upper)) ? gradient[i] : 0.0f;
  } else {
    for (size_t i = 0; i < count; i++)
      target[i] = ((x[i] >= lower) & (x[i] <= upper)) ? gradient[i] : 0.0f;
  }
}

CLONES void mrdib_scaled_copy(
    const float *restrict x, float scale, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = scale * x[i];
}

// Rounded once, as by OpenBLAS for AVX-512. Machines without FMA compute it in software, with
// the same bits.
__attribute__((target_clones("avx512f", "arch=haswell", "default"))) void mrdib_add_scaled(
    const float *restrict x, float scale, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = fmaf(scale, x[i], y[i]);
}
