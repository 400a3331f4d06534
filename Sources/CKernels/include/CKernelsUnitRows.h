#pragma once
#include <stddef.h>
#include <stdint.h>

/// Some rows of x, scaled to unit length: unit[k] = x[rows[k]] * inverse_norms[k], and
/// inverse_norms[k] = 1 / max(norm of x[rows[k]], 1e-12). Squares are added in sixteen partial sums
/// in a fixed order.
void mrdib_unit_rows(
    const float *x, const int32_t *rows, size_t row_count, size_t width, float *unit,
    float *inverse_norms);

/// Adds the gradient of x to `target`, row rows[k] for every k whose row is in first ..< end:
///
///     target[rows[k]] += (gradient[k] - sum(gradient[k] * unit[k]) * unit[k]) * inverse_norms[k]
void mrdib_unit_rows_adjoint(
    const float *unit, const float *inverse_norms, const float *gradient, const int32_t *rows,
    size_t row_count, int32_t first, int32_t end, size_t width, float *target);
