#ifndef CMEMORYMAPS_H
#define CMEMORYMAPS_H

#include <stddef.h>

// In C because a signal handler may run at any moment, which Swift code is not safe for.

/// Registers a file that is mapped at `start`. From then on touching a page of it that the file no
/// longer has, or that its disk cannot read, writes `sentence` to stderr and ends the process with
/// code 74, instead of a bus error without a message. The sentence is copied, up to about a
/// thousand bytes.
///
/// Returns a number for `cmaps_unregister`, or -1 when there is no room for another mapping, whose
/// bus errors then have no message.
int cmaps_register(const void *start, size_t length, const char *sentence);

/// Unregisters a mapping, before it is unmapped. -1 does nothing.
void cmaps_unregister(int number);

/// Unblocks bus errors on the calling thread: while they are blocked, as on the threads of a
/// dispatch queue, one ends the process without the registered message.
void cmaps_unblock(void);

#endif
