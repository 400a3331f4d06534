#define _GNU_SOURCE
#include "CProcess.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int is_lowered = 0;

void cprocess_lower_thread_priority(int steps) {
  if (is_lowered) return;
  is_lowered = 1;
#ifdef __linux__
  // On Linux a thread has a nice value of its own, under its own id.
  id_t thread = (id_t)syscall(SYS_gettid);
  int nice = getpriority(PRIO_PROCESS, thread);
  if (nice > 0) (void)setpriority(PRIO_PROCESS, thread, nice + steps);
#endif
}
