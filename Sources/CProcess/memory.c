#include "CProcess.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void cprocess_keep_memory(void) {
#ifdef __GLIBC__
  // Allocate large blocks from the heap too, and not in mappings of their own.
  (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
  (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
  // One arena, because the heaps of further arenas cannot hold blocks of more than 64 MiB.
  (void)mallopt(M_ARENA_MAX, 1);
#endif
}

#ifdef __GLIBC__
static size_t resident_bytes(void) {
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  (void)close(file);
  if (size <= 0) return 0;
  text[size] = 0;
  unsigned long long total, resident;
  if (sscanf(text, "%llu %llu", &total, &resident) != 2) return 0;
  return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

size_t cprocess_unused_memory(void) {
#ifdef __GLIBC__
  struct mallinfo2 information = mallinfo2();
  size_t used = information.uordblks + information.hblkhd;
  size_t resident = resident_bytes();
  return resident > used ? resident - used : 0;
#else
  return 0;
#endif
}

void cprocess_release_memory(void) {
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
}
