#pragma once
#include <stddef.h>

/// y = max(x, 0).
void mrdib_relu(const float *x, float *y, size_t count);

/// target = (x > 0 ? gradient : 0), or adds it where `adds` is not 0.
void mrdib_relu_adjoint(
    const float *x, const float *gradient, float *target, size_t count, int adds);

/// y = x > 0 ? x : slope * x.
void mrdib_leaky_relu(const float *x, float slope, float *y, size_t count);

/// target = gradient * (x > 0 ? 1 : slope), or adds it where `adds` is not 0.
void mrdib_leaky_relu_adjoint(
    const float *x, float slope, const float *gradient, float *target, size_t count, int adds);

/// y = 1 / (1 + exp(-x)), relative error below 4e-7 (not below exp(-80)); NaN stays NaN.
void mrdib_sigmoid(const float *x, float *y, size_t count);

/// target = gradient * y * (1 - y) for y = sigmoid(x), or adds it where `adds` is not 0.
void mrdib_sigmoid_adjoint(
    const float *y, const float *gradient, float *target, size_t count, int adds);

/// y = cap * tanh(x / cap), relative error below 4e-7; NaN stays NaN.
void mrdib_tanh_cap(const float *x, float cap, float *y, size_t count);

/// target = gradient * (1 - (y / cap)^2) for y = cap * tanh(x / cap), or adds it where `adds` is
/// not 0.
void mrdib_tanh_cap_adjoint(
    const float *y, float cap, const float *gradient, float *target, size_t count, int adds);

/// y = min(max(x, lower), upper).
void mrdib_clamp(const float *x, float lower, float upper, float *y, size_t count);

/// target = (lower <= x <= upper ? gradient : 0), or adds it where `adds` is not 0.
void mrdib_clamp_adjoint(
    const float *x, float lower, float upper, const float *gradient, float *target, size_t count,
    int adds);

/// y = scale * x.
void mrdib_scaled_copy(const float *x, float scale, float *y, size_t count);

/// y += scale * x, rounded once.
void mrdib_add_scaled(const float *x, float scale, float *y, size_t count);
