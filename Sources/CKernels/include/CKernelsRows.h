#pragma once
#include <stddef.h>
#include <stdint.h>

/// products[k] = <x, rows[ids[k]]> for rows of `width` floats; the terms of a sum are added in their
/// order, so that its bits depend on x and the row alone.
void mrdib_row_products(
    const float *x, const float *rows, size_t width, const int32_t *ids, size_t count,
    float *products);

/// Prefetches the cache lines of a row that will be read soon. Of a long row only the first 1 KiB:
/// the hardware prefetcher continues from there.
static inline void mrdib_prefetch_for_reading(const void *address, size_t bytes) {
  const char *start = (const char *)address;
  size_t end = bytes < 1024 ? bytes : 1024;
  for (size_t offset = 0; offset < end; offset += 64) __builtin_prefetch(start + offset);
}
