#pragma once
#include <stddef.h>

/// sum(x * y) over one row, in sixteen partial sums in a fixed order.
float mrdib_row_product(const float *x, const float *y, size_t width);

/// y = factor * x over one row.
void mrdib_scale_row(const float *x, float factor, float *y, size_t width);

/// Adds the gradient of a row x that was scaled to unit length, `unit` = x * inverse_norm:
/// (gradient - along * unit) * inverse_norm, along = sum(gradient * unit).
void mrdib_unit_row_adjoint(
    const float *unit, const float *gradient, float along, float inverse_norm, float *target,
    size_t width);
