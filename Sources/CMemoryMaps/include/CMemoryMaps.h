#ifndef CMEMORYMAPS_H
#define CMEMORYMAPS_H

#include <stddef.h>

// What Swift cannot do itself: a signal handler that may run in the middle of anything.

/// A file was mapped at `start`. From now on touching a page of it that the file no longer has, or
/// that its disk cannot read, writes `sentence` to stderr and ends the process with code 74, instead
/// of a bus error without a word. The sentence is copied, up to about a thousand bytes.
///
/// Returns a number for `cmaps_forget`, or -1 when there is no room for another mapping: the bus
/// error is a bus error then.
int cmaps_note(const void *start, size_t length, const char *sentence);

/// The mapping is about to be taken away. Any number, also -1.
void cmaps_forget(int number);

/// Lets the calling thread have bus errors, so that what was noted holds for it: a thread on which
/// they are blocked is ended without a word. Threads of a dispatch queue are such.
void cmaps_unblock(void);

#endif
