#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Between fork and exec: async-signal-safe calls only.
static _Noreturn void become(const char *path, char *const arguments[], char *const environment[],
                             int output, int inherited, int death_signal, int nice,
                             pid_t parent, int failure) {
  // If the parent died before prctl, no signal will be sent.
  if (prctl(PR_SET_PDEATHSIG, death_signal) != 0) goto failed;
  if (getppid() != parent) _exit(127);
  // A group of its own, so that Ctrl-C in a terminal reaches only the parent.
  if (setpgid(0, 0) != 0) goto failed;
  // The kernel limits the sum to the largest nice value.
  if (nice > 0) (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + nice);

  // Neither this nor `output` is 0, 1 or 2, which are never free: see standard_descriptors.c.
  int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0) goto failed;
  if (dup2(input, STDIN_FILENO) < 0) goto failed;
  if (dup2(output, STDOUT_FILENO) < 0) goto failed;
  if (dup2(output, STDERR_FILENO) < 0) goto failed;
  // Old kernels lack close_range; then descriptors without close-on-exec stay open, which is
  // harmless.
  (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (inherited >= 0 && fcntl(inherited, F_SETFD, 0) != 0) goto failed;

  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);

  execve(path, arguments, environment);
failed:;
  int reason = errno;
  ssize_t ignored = write(failure, &reason, sizeof reason);
  (void)ignored;
  _exit(127);
}

// How long a child may take until it executes the program; it does very little before that.
enum { start_milliseconds = 30000 };

static long long milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Whether the descriptor becomes readable, or its other end is closed, within a time.
static int wait_readable(int descriptor, int milliseconds) {
  struct pollfd watched = {.fd = descriptor, .events = POLLIN};
  long long deadline = milliseconds_now() + milliseconds;
  for (;;) {
    long long rest = deadline - milliseconds_now();
    int count = poll(&watched, 1, rest > 0 ? (int)rest : 0);
    if (count > 0) return 1;
    if (count == 0 || errno != EINTR) return 0;
  }
}

int cprocess_spawn(const char *path, char *const arguments[], char *const environment[],
                   int output, int inherited, int death_signal, int nice) {
  // If the child cannot execute the program, it writes errno into this pipe; exec closes it.
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -1;

  // The parent's signal handlers must not run in the child.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0)
    become(path, arguments, environment, output, inherited, death_signal, nice, parent, report[1]);
  int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  if (child < 0) {
    close(report[0]);
    errno = fork_error;
    return -1;
  }

  int reason = 0;
  ssize_t size = -1;
  if (wait_readable(report[0], start_milliseconds)) {
    do size = read(report[0], &reason, sizeof reason);
    while (size < 0 && errno == EINTR);
  } else {
    // The child hangs before exec.
    kill(child, SIGKILL);
    reason = ETIMEDOUT;
    size = sizeof reason;
  }
  close(report[0]);
  if (size == 0) return child;
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  errno = size == (ssize_t)sizeof reason ? reason : EIO;
  return -1;
}

int cprocess_open_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int cprocess_descriptor(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int cprocess_has_ended(int process) {
  siginfo_t information;
  memset(&information, 0, sizeof information);
  // WNOWAIT leaves the process unreaped, so that its id is not given to another one yet.
  if (waitid(P_PID, (id_t)process, &information, WEXITED | WNOHANG | WNOWAIT) != 0) return -1;
  return information.si_pid == process;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + time.tv_usec / 1e6; }

int cprocess_reap(int process, struct cprocess_result *result) {
  int status = 0;
  struct rusage usage;
  pid_t reaped;
  do reaped = wait4(process, &status, 0, &usage);
  while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return -1;
  result->code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  result->user_seconds = seconds(usage.ru_utime);
  result->system_seconds = seconds(usage.ru_stime);
  result->peak_resident_kibibytes = usage.ru_maxrss;
  return 0;
}

enum { watch_limit = 16 };
static int watched[watch_limit];
static struct sigaction previous[watch_limit];
static size_t watched_count = 0;
static int read_end = -1;
// -1: signals are not watched. -2: cprocess_watch_signals is setting it up.
static atomic_int write_end = -1;

static void note_signal(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  int descriptor = atomic_load(&write_end);
  // A full pipe means that enough signals are pending already.
  if (descriptor >= 0) {
    ssize_t ignored = write(descriptor, &byte, 1);
    (void)ignored;
  }
  errno = saved;
}

int cprocess_watch_signals(const int *signals, size_t count) {
  if (count > watch_limit) {
    errno = EINVAL;
    return -1;
  }
  int idle = -1;
  if (!atomic_compare_exchange_strong(&write_end, &idle, -2)) {
    errno = EBUSY;
    return -1;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    atomic_store(&write_end, -1);
    return -1;
  }
  read_end = ends[0];
  atomic_store(&write_end, ends[1]);
  struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (watched_count = 0; watched_count < count; watched_count++) {
    watched[watched_count] = signals[watched_count];
    if (sigaction(signals[watched_count], &action, &previous[watched_count]) != 0) {
      int reason = errno;
      cprocess_unwatch_signals();
      errno = reason;
      return -1;
    }
    // nohup ignores SIGHUP, so that the process outlives its terminal.
    if (signals[watched_count] == SIGHUP && previous[watched_count].sa_handler == SIG_IGN)
      (void)sigaction(SIGHUP, &previous[watched_count], NULL);
  }
  cprocess_unblock_signals(signals, count);
  return read_end;
}

void cprocess_unblock_signals(const int *signals, size_t count) {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (size_t index = 0; index < count; index++) sigaddset(&wanted, signals[index]);
  pthread_sigmask(SIG_UNBLOCK, &wanted, NULL);
}

void cprocess_ignore_broken_pipes(void) {
  struct sigaction ignored = {.sa_handler = SIG_IGN};
  (void)sigaction(SIGPIPE, &ignored, NULL);
  // The same for a file that would become larger than the limit (ulimit -f).
  (void)sigaction(SIGXFSZ, &ignored, NULL);
}

void cprocess_unwatch_signals(void) {
  for (size_t index = 0; index < watched_count; index++)
    (void)sigaction(watched[index], &previous[index], NULL);
  watched_count = 0;
  int descriptor = atomic_load(&write_end);
  if (descriptor < 0) return;
  close(read_end);
  close(descriptor);
  read_end = -1;
  atomic_store(&write_end, -1);
}
