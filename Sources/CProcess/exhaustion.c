#define _GNU_SOURCE
#include "CProcess.h"

// The first of them says which C library it is.
#include <stdint.h>

#ifdef __GLIBC__

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

// What the libraries of this program do when the system refuses memory, a thread or a descriptor:
// OpenBLAS asks again for ever, libdispatch sleeps and asks again for ever, libzmq and the Swift
// runtime abort. None of them asks us. So their calls come here first (a definition of the program
// goes before that of the C library), and where the system refuses, the process ends with one
// sentence that names the limit, and EX_OSERR (138 where memory is short without a limit). What is on disk survives that as it survives a kill.

// glibc's own allocator under names that nobody takes its place at.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// No limit of ours: others may give memory back, so that starting again can help.
enum { may_pass = 138 };

// --- the sentence --------------------------------------------------------------------------------

// Async-signal-safe but for snprintf of numbers, which allocates nothing.
static _Noreturn void give_up(int code, const char *format, ...) {
  // Of several threads that fail at once, one speaks.
  static volatile int is_said = 0;
  if (__atomic_exchange_n(&is_said, 1, __ATOMIC_SEQ_CST)) {
    for (;;) pause();
  }
  char text[512];
  int size = snprintf(text, sizeof text, "mrdib: ");
  va_list values;
  va_start(values, format);
  size += vsnprintf(text + size, sizeof text - (size_t)size, format, values);
  va_end(values);
  if (size >= (int)sizeof text) size = sizeof text - 1;
  // A reader who does not read must not keep the process: what is ready takes so little at once.
  struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
  if (poll(&output, 1, 1000) > 0) {
    ssize_t ignored = write(STDERR_FILENO, text, (size_t)size);
    (void)ignored;
  }
  _exit(code);
}

static int is_limited(int resource, struct rlimit *limit) {
  return getrlimit(resource, limit) == 0 && limit->rlim_cur != RLIM_INFINITY;
}

static unsigned long long mebibytes(unsigned long long bytes) {
  return (bytes + (1 << 20) - 1) >> 20;
}

static _Noreturn void give_up_memory(size_t bytes) {
  struct rlimit limit;
  unsigned long long wanted = mebibytes(bytes);
  if (is_limited(RLIMIT_AS, &limit))
    give_up(EX_OSERR, "Cannot get %llu MiB more of memory: the address space of a process is limited to %llu "
            "MiB; raise the limit (ulimit -v).\n",
            wanted, mebibytes(limit.rlim_cur));
  if (is_limited(RLIMIT_DATA, &limit))
    give_up(EX_OSERR, "Cannot get %llu MiB more of memory: the data of a process is limited to %llu MiB; "
            "raise the limit (ulimit -d).\n",
            wanted, mebibytes(limit.rlim_cur));
  give_up(may_pass, "Cannot get %llu MiB more of memory: the system has no more to give; start fewer "
          "processes, or end others.\n",
          wanted);
}

static void *map(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

static int is_memory_short(size_t bytes) {
  void *probe = map(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) return 1;
  (void)munmap(probe, bytes);
  return 0;
}

static _Noreturn void give_up_thread(void) {
  // A thread whose stack finds no room is refused with the same error number.
  size_t stack = 8 << 20;
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) == 0)
    (void)pthread_attr_getstacksize(&attributes, &stack);
  if (is_memory_short(stack + (64 << 10))) give_up_memory(stack);
  struct rlimit limit;
  if (is_limited(RLIMIT_NPROC, &limit))
    give_up(EX_OSERR, "Cannot start a thread: the system refuses more than there are; raise the limit of "
            "this user's processes and threads, which is %llu (ulimit -u), or that of the "
            "container, or start fewer.\n",
            (unsigned long long)limit.rlim_cur);
  give_up(EX_OSERR, "Cannot start a thread: the system refuses more than there are; raise the container's "
          "limit of processes, or start fewer.\n");
}

// --- memory --------------------------------------------------------------------------------------

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  void *mapped = map(address, size, protection, flags, file, offset);
  // What maps a file can live without it, and says so itself.
  if (mapped == MAP_FAILED && errno == ENOMEM && (flags & MAP_ANONYMOUS)) give_up_memory(size);
  return mapped;
}

void *malloc(size_t size) {
  void *block = __libc_malloc(size);
  if (!block) give_up_memory(size);
  return block;
}

void *calloc(size_t count, size_t size) {
  void *block = __libc_calloc(count, size);
  size_t bytes;
  if (!block) give_up_memory(__builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes);
  return block;
}

void *realloc(void *former, size_t size) {
  void *block = __libc_realloc(former, size);
  // With a size of 0 it frees.
  if (!block && size > 0) give_up_memory(size);
  return block;
}

void *aligned_alloc(size_t alignment, size_t size) {
  void *block = __libc_memalign(alignment, size);
  if (!block && errno == ENOMEM) give_up_memory(size);
  return block;
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  void *block = __libc_memalign(alignment, size);
  if (!block) give_up_memory(size);
  *result = block;
  return 0;
}

// --- threads and descriptors ---------------------------------------------------------------------

typedef int (*create_call)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*body)(void *), void *restrict argument) {
  static _Atomic(create_call) next;
  create_call create = next;
  if (!create) {
    create = (create_call)dlsym(RTLD_NEXT, "pthread_create");
    next = create;
  }
  int result = create(thread, attributes, body, argument);
  // Other processes of the user may be about to end: it is tried for two seconds.
  for (int attempt = 0; result == EAGAIN && attempt < 40; attempt++) {
    struct timespec pause = {.tv_nsec = 50000000};
    (void)nanosleep(&pause, NULL);
    result = create(thread, attributes, body, argument);
  }
  if (result == EAGAIN) give_up_thread();
  return result;
}

int epoll_create1(int flags) {
  int descriptor = (int)syscall(SYS_epoll_create1, flags);
  if (descriptor >= 0) return descriptor;
  struct rlimit limit;
  if (errno == EMFILE && getrlimit(RLIMIT_NOFILE, &limit) == 0)
    give_up(EX_OSERR, "Cannot begin to watch connections: all %llu files that a process may have open are "
            "open; raise the limit (ulimit -n).\n",
            (unsigned long long)limit.rlim_cur);
  if (errno == ENFILE) give_up(EX_OSERR, "Cannot begin to watch connections: too many files are open on this "
                               "machine; close some, or raise fs.file-max.\n");
  return descriptor;
}

#endif
