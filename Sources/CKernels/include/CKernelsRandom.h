#pragma once
#include <stddef.h>
#include <stdint.h>

/// Writes `count` standard normal numbers: draw `i / 4` of Philox4x32-10 under `key`, with counter
/// (i / 4, id, step, epoch), gives numbers 4⌊i/4⌋ … 4⌊i/4⌋+3 by two Box–Muller transforms.
void mrdib_normal_fill(
    float *values, size_t count, uint32_t key0, uint32_t key1, uint32_t id, uint32_t step,
    uint32_t epoch);
