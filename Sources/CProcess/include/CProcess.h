#ifndef CPROCESS_H
#define CPROCESS_H

#include <stddef.h>
// No system headers that define types: Swift would import these types from this module.

// What Swift cannot do itself: fork (between fork and exec a process with threads may only run
// async-signal-safe C), signal handlers, macros over wait status, and code that runs before main:
// `standard_descriptors.c` opens standard descriptors that are closed.

/// Starts a program in a process group of its own, with /dev/null as its input and `output` as its
/// output and error output. Of all other descriptors only `inherited` is inherited, under its
/// number, unless it is negative.
///
/// Its nice value is higher by `nice` than the caller's.
///
/// The kernel sends the child `death_signal` when the calling THREAD ends (PR_SET_PDEATHSIG), so
/// call it from a thread that outlives the child.
///
/// Returns the process id, or -1 with errno set, also when the program could not be executed;
/// ETIMEDOUT when the child did not execute it within 30 s.
int cprocess_spawn(const char *path, char *const arguments[], char *const environment[],
                   int output, int inherited, int death_signal, int nice);

/// Opens a pipe: `ends[0]` to read from, `ends[1]` to write to. Both are non-blocking and closed on
/// exec. 0, or -1 with errno set.
int cprocess_open_pipe(int ends[2]);

/// A descriptor that becomes readable when the process ends, or -1 if the system has none.
int cprocess_descriptor(int process);

/// Whether the process has ended and waits to be reaped: 1, 0, or -1 with errno set.
int cprocess_has_ended(int process);

/// How a process ended and what it used.
struct cprocess_result {
  /// Its exit code, or minus the signal that killed it.
  int code;
  double user_seconds;
  double system_seconds;
  long peak_resident_kibibytes;
};

/// Reaps an ended process. 0, or -1 with errno set.
int cprocess_reap(int process, struct cprocess_result *result);

/// Makes signals write their number, as one byte, into a pipe. Returns the non-blocking end to read
/// from, or -1 with errno set: EBUSY if signals are being watched already. If SIGHUP is ignored, it
/// stays ignored.
int cprocess_watch_signals(const int *signals, size_t count);

/// Unblocks signals in the calling thread. A process inherits blocked signals from its parent (the
/// threads of a dispatch queue block them), and then no signal could stop it.
void cprocess_unblock_signals(const int *signals, size_t count);

/// Makes a write to a closed pipe, or beyond the limit of file sizes, an error of the call instead
/// of a signal that ends the process.
void cprocess_ignore_broken_pipes(void);

/// Restores the previous signal handlers and closes the pipe.
void cprocess_unwatch_signals(void);

/// Raises the nice value of the calling thread by `steps`, once, if it is above 0, that is, if the
/// process was started with a lower priority. Cannot be undone without privileges. Does nothing on
/// systems whose threads have no nice value of their own.
void cprocess_lower_thread_priority(int steps);

/// Makes the process keep freed memory for later allocations. Call it before threads are started.
/// Does nothing if the C library does not support it.
void cprocess_keep_memory(void);

/// Bytes that are resident and not allocated: freed memory, and the program itself. 0 if unknown.
size_t cprocess_unused_memory(void);

/// Returns freed memory to the system, also after cprocess_keep_memory.
void cprocess_release_memory(void);

#endif
