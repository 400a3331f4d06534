#include "CProcess.h"

#include <limits.h>
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void cprocess_keep_memory(void) {
#ifdef __GLIBC__
  // Large blocks come from the heap too, not from mappings of their own.
  (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
  (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
  // The heaps of further arenas cannot hold blocks of more than 64 MiB.
  (void)mallopt(M_ARENA_MAX, 1);
#endif
}
