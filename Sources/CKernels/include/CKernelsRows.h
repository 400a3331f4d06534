#pragma once
#include <stddef.h>
#include <stdint.h>

/// products[k] = <x, rows[ids[k]]> for rows of `width` floats; the terms of a sum are added in their
/// order, so that its bits depend on x and the row alone.
void mrdib_row_products(
    const float *x, const float *rows, size_t width, const int32_t *ids, size_t count,
    float *products);
