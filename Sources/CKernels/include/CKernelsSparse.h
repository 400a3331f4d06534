#pragma once
#include <stddef.h>
#include <stdint.h>

/// y[r] = sum over the entries (r, c, v) of the compressed rows of v * x[c], for rows of `width`
/// floats, or adds that sum to y[r] where `adds` is not 0; y and x are row-major without gaps. The
/// entries of a row are added in their order.
void mrdib_sparse_multiply(
    const int64_t *offsets, const int32_t *columns, const float *values, size_t row_count,
    const float *x, size_t width, float *y, int adds);

/// Writes the numbers of the rows of a row-major matrix that have an element other than 0 (or NaN)
/// to `rows`, ascending, which has room for `row_count`. Returns how many there are.
size_t mrdib_nonzero_rows(const float *x, size_t row_count, size_t width, uint32_t *rows);
