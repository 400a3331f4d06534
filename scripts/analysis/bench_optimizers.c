// Rows per second of the servers' update kernels on a table larger than the caches: rows are
// visited at random, as the rows of batches are, and the next ones are prefetched as servers do.
// See scripts/bench-optimizers.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

enum { AHEAD = 6 };

typedef struct {
  size_t rows, width, updates;
  float *table, *wide, *gradient;
  uint32_t *order;
} bench;

// Processor time, so that other programs disturb less.
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const mrdib_adam_constants constants = {0.9f, 0.1f, 0.999f, 0.001f, 1e-8f};
static const mrdib_adam_step step = {1e-3f, 1.01f, {0, 0, 0}, 0, 0};
static const mrdib_adam_gap gap = {1e-3f, 1.0f, 0.01f, 0.3f, 0.99f};

typedef void (*update)(const bench *, float *row, uint32_t id);

static void lazy_adam(const bench *b, float *row, uint32_t id) {
  (void)id;
  mrdib_adam_update(row, b->gradient, b->width, &constants, step);
}

static void closed_adam(const bench *b, float *row, uint32_t id) {
  (void)id;
  mrdib_adam_move(row, row, b->width, &constants, gap);
  mrdib_adam_decay(row, b->width, gap);
  mrdib_adam_update(row, b->gradient, b->width, &constants, step);
}

static mrdib_rounding rounding(uint32_t id) {
  return (mrdib_rounding){1, 2, id, 7, 9};
}

static void closed_adam_bfloat16(const bench *b, float *row, uint32_t id) {
  mrdib_row_widen(b->wide, row, b->width, 2);
  closed_adam(b, b->wide, id);
  mrdib_row_round(row, b->wide, b->width, 2, rounding(id));
}

static void adagrad(const bench *b, float *row, uint32_t id) {
  (void)id;
  mrdib_adagrad_update(row, b->gradient, b->width, 1e-3f, 1e-10f);
}

static void adagrad_bfloat16(const bench *b, float *row, uint32_t id) {
  mrdib_row_widen(b->wide, row, b->width, 1);
  adagrad(b, b->wide, id);
  mrdib_row_round(row, b->wide, b->width, 1, rounding(id));
}

static void rowwise_adagrad(const bench *b, float *row, uint32_t id) {
  (void)id;
  mrdib_rowwise_adagrad_update(row, b->gradient, b->width, 1e-3f, 1e-8f);
}

static void sgd(const bench *b, float *row, uint32_t id) {
  (void)id;
  mrdib_sgd_update(row, b->gradient, b->width, 1e-3f);
}

// A step of dense Adam moves every row of the table, a few of them with a gradient.
static void dense_adam(const bench *b, float *row, uint32_t id) {
  (void)id;
  mrdib_adam_replay(row, b->width, &constants, &step, 1);
}

static void measure(
    bench *b, const char *name, size_t stride, update body, int isDense, size_t rounds) {
  double best = INFINITY;
  size_t count = isDense ? b->rows : b->updates;
  for (size_t index = 0; index < b->rows * stride; index++) b->table[index] = 0;
  for (size_t round = 0; round < rounds; round++) {
    double start = now();
    for (size_t i = 0; i < count; i++) {
      if (!isDense && i + AHEAD < count)
        mrdib_prefetch(b->table + b->order[i + AHEAD] * stride, stride * sizeof(float));
      uint32_t id = isDense ? (uint32_t)i : b->order[i];
      body(b, b->table + id * stride, id);
    }
    double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  printf("%s\t%zu\t%.2f\t%.0f\n", name, stride * sizeof(float), count / best / 1e6,
         best / count * 1e9);
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: %s ROWS WIDTH ROUNDS\n", argv[0]), 64;
  bench b = {strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), 0, 0, 0, 0, 0};
  size_t rounds = strtoul(argv[3], NULL, 10), w = b.width;
  if (b.rows < 1000 || b.rows > UINT32_MAX || w < 1 || w > 4096 || rounds < 1) {
    return fprintf(stderr, "at least 1000 rows, of 1 to 4096 numbers, and one round\n"), 64;
  }
  b.updates = b.rows / 4;
  b.table = aligned_alloc(64, (b.rows * 3 * w * sizeof(float) + 63) / 64 * 64);
  b.wide = aligned_alloc(64, (3 * w * sizeof(float) + 63) / 64 * 64);
  b.gradient = malloc(w * sizeof(float));
  b.order = malloc(b.updates * sizeof(uint32_t));
  if (!b.table || !b.wide || !b.gradient || !b.order) return fprintf(stderr, "no memory\n"), 71;
  for (size_t i = 0; i < w; i++) b.gradient[i] = 0.01f * (float)(i % 7) - 0.02f;
  uint64_t state = 1;
  for (size_t i = 0; i < b.updates; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    b.order[i] = (uint32_t)((state >> 32) * b.rows >> 32);
  }
  printf("update\tbytes per row\tmillion rows/s\tns per row\n");
  measure(&b, "sgd", w, sgd, 0, rounds);
  measure(&b, "rowwise_adagrad", w + 1, rowwise_adagrad, 0, rounds);
  measure(&b, "adagrad", 2 * w, adagrad, 0, rounds);
  measure(&b, "adagrad, bfloat16", w + (w + 1) / 2, adagrad_bfloat16, 0, rounds);
  measure(&b, "adam lazy", 3 * w, lazy_adam, 0, rounds);
  measure(&b, "adam closed", 3 * w, closed_adam, 0, rounds);
  measure(&b, "adam closed, bfloat16", 2 * w, closed_adam_bfloat16, 0, rounds);
  measure(&b, "adam dense, any row", 3 * w, dense_adam, 1, rounds);
  return 0;
}
