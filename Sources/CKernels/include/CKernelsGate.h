#pragma once
#include <stddef.h>
#include <stdint.h>

// Two gradients g and a of one matrix. `rows` lists the rows to visit; null means rows 0 to
// `row_count` - 1.

/// Adds sum(g * g), sum(g * a) and sum(a * a) over the rows to `sums`.
void mrdib_gradient_products(
    const float *g, const float *a, const int32_t *rows, size_t row_count, size_t width,
    double sums[3]);

/// Adds sum((a - factor * g)^2) over the rows to `sum`.
void mrdib_projected_square(
    const float *g, const float *a, double factor, const int32_t *rows, size_t row_count,
    size_t width, double *sum);

/// g = g_factor * g + a_factor * a in the rows, rounded once.
void mrdib_combine_gradients(
    float *g, const float *a, double g_factor, double a_factor, const int32_t *rows,
    size_t row_count, size_t width);
