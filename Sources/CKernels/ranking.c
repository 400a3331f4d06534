#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "CKernelsRanking.h"

// Finding the best 50 of 7,050 scores with a heap took longer than computing the scores. Here two
// vectorised passes leave about 60 candidates per row: the first finds a score that at least k
// items reach, and the second collects the items that reach it.

enum {
  LANES = 16,
  // Item i belongs to group i % GROUPS; the k-th best of the groups' maxima is reached by k items.
  GROUPS = 256,
  // The bound is worth its pass when groups outnumber k and hold several items.
  LARGEST_K_FOR_BOUND = GROUPS / 2,
  SMALLEST_COUNT_FOR_BOUND = 4 * GROUPS,
  LARGEST_RANKED_BY_COUNTING = 256,
};

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

typedef float float_lanes __attribute__((ext_vector_type(LANES), aligned(4)));
typedef _Bool bool_lanes __attribute__((ext_vector_type(LANES)));

static inline uint64_t key_of(float score, uint32_t item) {
  score += 0.0f;  // -0 and +0 are equal scores
  uint32_t bits;
  memcpy(&bits, &score, 4);
  bits = bits >> 31 ? ~bits : bits | 0x80000000u;
  return (uint64_t)bits << 32 | ~item;
}

float mrdib_ranking_score(uint64_t key) {
  uint32_t bits = (uint32_t)(key >> 32);
  bits = bits >> 31 ? bits & 0x7FFFFFFFu : ~bits;
  float score;
  memcpy(&score, &bits, 4);
  return score;
}

CLONES static void group_maxima(const float *scores, size_t count, float *maxima) {
  memcpy(maxima, scores, GROUPS * sizeof(float));
  for (size_t i = GROUPS; i < count; i += GROUPS) {
    size_t members = count - i < GROUPS ? count - i : GROUPS;
    for (size_t j = 0; j < members; j++) {
      float score = scores[i + j];
      maxima[j] = score > maxima[j] ? score : maxima[j];
    }
  }
}

// A score that at least k of the maxima reach, and not many more. Bisection runs over integers
// that order like the floats: at most 32 rounds, whatever the scores' magnitudes.
CLONES static float bound_of_best(const float *maxima, size_t k) {
  int32_t order[GROUPS];
  memcpy(order, maxima, sizeof(order));
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (size_t j = 0; j < GROUPS; j++) {
    order[j] ^= (order[j] >> 31) & INT32_MAX;
    low = order[j] < low ? order[j] : low;
    high = order[j] > high ? order[j] : high;
  }
  while (low < high) {
    int32_t middle = (int32_t)(((int64_t)low + high + 1) >> 1);
    uint32_t reached = 0;
    for (size_t j = 0; j < GROUPS; j++) reached += order[j] >= middle;
    if (reached < k) {
      high = middle - 1;
    } else {
      low = middle;
      if (reached <= k + k / 8) break;
    }
  }
  low ^= (low >> 31) & INT32_MAX;
  float bound;
  memcpy(&bound, &low, sizeof(bound));
  return bound;
}

CLONES static void sort_by_counting(uint64_t *keys, size_t count) {
  uint64_t sorted[LARGEST_RANKED_BY_COUNTING];
  for (size_t i = 0; i < count; i++) {
    uint64_t key = keys[i], better = 0;
    for (size_t j = 0; j < count; j++) better += keys[j] > key;
    sorted[better] = key;
  }
  memcpy(keys, sorted, count * sizeof(uint64_t));
}

static int descending(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a < b) - (a > b);
}

void mrdib_ranking_finish(mrdib_ranking_row *row, size_t k) {
  if (row->count <= LARGEST_RANKED_BY_COUNTING) {
    sort_by_counting(row->keys, row->count);
  } else {
    qsort(row->keys, row->count, sizeof(uint64_t), descending);
  }
  if (row->count > k) row->count = k;
  if (row->count == k) row->threshold = mrdib_ranking_score(row->keys[k - 1]);
}

// Returns whether all scores are finite: only then is the product of each with 0 a 0, and so their
// sum. It is found in the pass that reads the scores anyway.
CLONES static bool collect(
    const float *scores, size_t count, uint32_t first_item, size_t k, mrdib_ranking_row *row) {
  float_lanes zeros[MRDIB_RANKING_CHUNK / LANES] = {0};
  float rest = 0;
  size_t i = 0;
  while (i < count) {
    if (row->capacity - row->count < MRDIB_RANKING_CHUNK) mrdib_ranking_finish(row, k);
    float threshold = row->threshold;
    uint64_t above = 0;
    size_t chunk = count - i < MRDIB_RANKING_CHUNK ? count - i : MRDIB_RANKING_CHUNK;
    if (chunk == MRDIB_RANKING_CHUNK) {
      for (size_t j = 0; j < MRDIB_RANKING_CHUNK / LANES; j++) {
        float_lanes lanes = *(const float_lanes *)(scores + i + j * LANES);
        zeros[j] += lanes * 0.0f;
        bool_lanes mask = __builtin_convertvector(lanes > threshold, bool_lanes);
        uint16_t bits;
        memcpy(&bits, &mask, sizeof(bits));
        above |= (uint64_t)bits << (j * LANES);
      }
    } else {
      for (size_t j = 0; j < chunk; j++) {
        rest += scores[i + j] * 0.0f;
        above |= (uint64_t)(scores[i + j] > threshold) << j;
      }
    }
    for (; above != 0; above &= above - 1) {
      size_t item = i + (size_t)__builtin_ctzll(above);
      row->keys[row->count++] = key_of(scores[item], first_item + (uint32_t)item);
    }
    i += chunk;
  }
  for (size_t j = 0; j < MRDIB_RANKING_CHUNK / LANES; j++) {
    for (size_t lane = 0; lane < LANES; lane++) rest += zeros[j][lane];
  }
  return rest == 0;
}

bool mrdib_ranking_scan(
    const float *scores, size_t count, uint32_t first_item, size_t k, mrdib_ranking_row *row) {
  // Later tiles already have a threshold, which the bound would rarely raise.
  bool unbounded = row->count < k;
  if (unbounded && k <= LARGEST_K_FOR_BOUND && count >= SMALLEST_COUNT_FOR_BOUND) {
    float maxima[GROUPS];
    group_maxima(scores, count, maxima);
    // Scores above the threshold are collected; those equal to the bound must be among them.
    float below = nextafterf(bound_of_best(maxima, k), MRDIB_MASKED_SCORE);
    if (below > row->threshold) row->threshold = below;
  }
  return collect(scores, count, first_item, k, row);
}
