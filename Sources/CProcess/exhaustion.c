#define _GNU_SOURCE
#include "CProcess.h"

// Any header of the C library defines __GLIBC__.
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

// When the system refuses memory, a thread or a descriptor, OpenBLAS retries for ever, libdispatch
// sleeps and retries for ever, and libzmq and the Swift runtime abort. So the program defines these
// calls itself, which takes precedence over the C library: if the system refuses, the process exits
// with one sentence that names the limit, and EX_OSERR (138 if memory is short without a limit).
// Files on disk survive that as they survive a kill.

// glibc's allocator under its internal names, which are not replaced.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// Without a limit other processes may free memory, so a retry can help.
enum { may_pass = 138 };

// --- the message ---------------------------------------------------------------------------------

// Async-signal-safe but for snprintf of numbers, which allocates nothing.
static _Noreturn void give_up(int code, const char *format, ...) {
  // If several threads fail at once, only one writes its message.
  static volatile int is_reported = 0;
  if (__atomic_exchange_n(&is_reported, 1, __ATOMIC_SEQ_CST)) {
    for (;;) pause();
  }
  char text[512];
  int size = snprintf(text, sizeof text, "mrdib: ");
  va_list values;
  va_start(values, format);
  size += vsnprintf(text + size, sizeof text - (size_t)size, format, values);
  va_end(values);
  if (size >= (int)sizeof text) size = sizeof text - 1;
  // An unread pipe must not keep the process alive. A descriptor that is ready takes this little
  // text without blocking.
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
    give_up(EX_OSERR,
            "Cannot allocate %llu MiB of memory: the address space of a process is limited to "
            "%llu MiB; raise the limit (ulimit -v).\n",
            wanted, mebibytes(limit.rlim_cur));
  if (is_limited(RLIMIT_DATA, &limit))
    give_up(EX_OSERR,
            "Cannot allocate %llu MiB of memory: the data of a process is limited to %llu MiB; "
            "raise the limit (ulimit -d).\n",
            wanted, mebibytes(limit.rlim_cur));
  give_up(may_pass,
          "Cannot allocate %llu MiB of memory: the system has none left; start fewer processes, "
          "or end others.\n",
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
  // The system also refuses a thread, with the same error number, if there is no room for its
  // stack.
  size_t stack = 8 << 20;
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) == 0)
    (void)pthread_attr_getstacksize(&attributes, &stack);
  if (is_memory_short(stack + (64 << 10))) give_up_memory(stack);
  struct rlimit limit;
  if (is_limited(RLIMIT_NPROC, &limit))
    give_up(EX_OSERR,
            "Cannot start a thread: the system refuses another one; raise the limit of this "
            "user's processes and threads, which is %llu (ulimit -u), or that of the container, "
            "or start fewer processes.\n",
            (unsigned long long)limit.rlim_cur);
  give_up(EX_OSERR,
          "Cannot start a thread: the system refuses another one; raise the container's limit of "
          "processes, or start fewer processes.\n");
}

// --- memory --------------------------------------------------------------------------------------

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  void *mapped = map(address, size, protection, flags, file, offset);
  // Code that maps files handles the error itself.
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
  // realloc with a size of 0 frees the block and returns NULL.
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
  // Retried for two seconds, because other processes of the user may be about to end.
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
    give_up(EX_OSERR,
            "Cannot watch connections: all %llu files that a process may have open are open; "
            "raise the limit (ulimit -n).\n",
            (unsigned long long)limit.rlim_cur);
  if (errno == ENFILE)
    give_up(EX_OSERR,
            "Cannot watch connections: too many files are open on this machine; close some, or "
            "raise fs.file-max.\n");
  return descriptor;
}

#endif
