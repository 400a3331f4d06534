#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The score of an item that must not be ranked. All real scores are greater.
#define MRDIB_MASKED_SCORE (-0x1.fffffep127f)

/// The best items of one user so far; tiles of scores arrive in ascending order of items.
///
/// A key holds a score (upper half, as a sortable integer) and the complement of an item id (lower
/// half): the larger key is the better item, and of two equal scores the smaller id.
typedef struct {
  uint64_t *keys;
  size_t count;
  /// At least `2 * k + MRDIB_RANKING_CHUNK`.
  size_t capacity;
  /// Only scores above it can be among the best.
  float threshold;
} mrdib_ranking_row;

/// Items that are compared with the threshold at once.
enum { MRDIB_RANKING_CHUNK = 64 };

/// Adds to `row` the items `first_item ..< first_item + count` that may be among its best `k`.
/// Returns false, with `row` unfinished, if a score is infinite or NaN.
bool mrdib_ranking_scan(
    const float *scores, size_t count, uint32_t first_item, size_t k, mrdib_ranking_row *row);

/// Sorts the keys of `row`, best first, and keeps the best `k`.
void mrdib_ranking_finish(mrdib_ranking_row *row, size_t k);

/// The item of a key.
static inline uint32_t mrdib_ranking_item(uint64_t key) { return ~(uint32_t)key; }

/// The score of a key.
float mrdib_ranking_score(uint64_t key);
