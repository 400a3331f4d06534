#pragma once
#include <stddef.h>

/// Turns every row of logits into its soft-max, in place, and writes the logarithms of the sums:
///
///     log_sums[r] = ln sum_c exp(x[r][c]),  x[r][c] = factors[r] * exp(x[r][c] - log_sums[r])
///
/// Rows are `columns` floats without gaps; without factors (null) they are all 1. The largest logit
/// of a row is subtracted before the exponentials, and the sums are in double precision, so that no
/// logit overflows; weights below exp(-80) of the largest count as that. A row with a NaN becomes
/// all NaN.
/// No operation is contracted or reordered, so every instruction set gives the same weights.
void mrdib_softmax_rows(
    float *x, size_t rows, size_t columns, const float *factors, double *log_sums);
