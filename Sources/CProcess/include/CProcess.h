#ifndef CPROCESS_H
#define CPROCESS_H

#include <stddef.h>
// No system headers that define types: Swift would think that they are defined here.

// What Swift cannot do itself: fork (only async-signal-safe C may run between fork and exec of a
// process with threads), signal handlers, macros over wait status, and what has to happen before
// main: `standard_descriptors.c` opens standard descriptors that are closed.

/// Starts a program in a process group of its own, with /dev/null as its input and `output` as its
/// output and error output. No other descriptor is inherited but `inherited`, under its number,
/// unless that is negative.
///
/// Its nice value is higher by `nice` than ours: others go first.
///
/// The kernel sends the child `death_signal` when the calling THREAD ends (PR_SET_PDEATHSIG), so
/// call it from a thread that outlives the child.
///
/// Returns the process id, or -1 with errno set: also when the program could not be executed, and
/// ETIMEDOUT when the child did not come to that within 30 s.
int cprocess_spawn(const char *path, char *const arguments[], char *const environment[],
                   int output, int inherited, int death_signal, int nice);

/// Opens a pipe: `ends[0]` to read from, `ends[1]` to write to. Neither blocks, and no program that
/// is executed inherits them unless it is told to. 0, or -1 with errno set.
int cprocess_open_pipe(int ends[2]);

/// A descriptor that becomes readable when the process ends, or -1 where there is no such thing.
int cprocess_descriptor(int process);

/// Whether the process has ended and waits to be reaped: 1, 0, or -1 with errno set.
int cprocess_has_ended(int process);

/// What an ended process leaves behind.
struct cprocess_result {
  /// Its exit code, or minus the signal that killed it.
  int code;
  double user_seconds;
  double system_seconds;
  /// The most memory it held at once.
  long peak_resident_kibibytes;
};

/// Reaps an ended process. 0, or -1 with errno set.
int cprocess_reap(int process, struct cprocess_result *result);

/// From now on a signal writes its number, as one byte, into a pipe. Returns the end to read from,
/// which does not block, or -1 with errno set: EBUSY if signals are being watched already. A SIGHUP
/// that is ignored when this is called stays so.
int cprocess_watch_signals(const int *signals, size_t count);

/// Lets signals come to the calling thread. Whoever started this process may have had them blocked
/// (the threads of a dispatch queue do), and a new process inherits that: then nothing would ever
/// stop it.
void cprocess_unblock_signals(const int *signals, size_t count);

/// From now on writing where nobody reads any more, or more than a file may hold, is an error of the
/// call and ends no process.
void cprocess_ignore_broken_pipes(void);

/// Gives the signals back to whoever handled them before, and closes the pipe.
void cprocess_unwatch_signals(void);

/// Has the calling thread give way to the others, in a process that was started to give way: if its
/// nice value is above 0 it grows by `steps`, once. There is no way back without privileges. Does
/// nothing where threads have no nice value of their own.
void cprocess_lower_thread_priority(int steps);

/// From now on memory that is freed stays with the process, for its next allocation. Call it before
/// there are threads. Does nothing where the C library has no such choice.
void cprocess_keep_memory(void);

/// Bytes that are resident and that nobody has allocated: freed memory, and the program itself. 0
/// where that is not known.
size_t cprocess_unused_memory(void);

/// Gives freed memory back to the system, whatever cprocess_keep_memory has said.
void cprocess_release_memory(void);

#endif
