#pragma once
#include <stddef.h>

/// wide[k] = the k-th of `count` IEEE 754 half-precision numbers, in the machine's byte order and not
/// necessarily aligned; exact. NaN keeps its payload.
void mrdib_widen_half(float *wide, const void *values, size_t count);
