#ifndef CCONNECTIONGUARD_H
#define CCONNECTIONGUARD_H

#include <stddef.h>
#include <stdint.h>

// Bounds what a peer can take before it has proved who it is. libzmq has no option for that: it
// accepts connections until descriptors run out, and before the handshake it allocates and reads
// whatever frame a peer declares. So this file defines the four system calls that libzmq makes on
// its connections (accept4, recv, send, close). The linker exports them from the executable, and
// the dynamic linker then prefers them to libc's. For everything else they are libc's.

struct cguard_limits {
  /// Connections in all that may be before the end of their handshake, at most
  /// CGUARD_MAXIMUM_UNFINISHED.
  int unfinished;
  /// The same per address.
  int unfinished_per_address;
  /// From this descriptor on, an unfinished connection is closed for every new one.
  int crowded_descriptor;
  /// From this descriptor on, new connections are closed: the rest is for files.
  int reserved_descriptor;
  /// Connections that may have been accepted since the last cguard_acknowledge.
  int unacknowledged;
};

enum { CGUARD_MAXIMUM_UNFINISHED = 1024, CGUARD_MAXIMUM_DESCRIPTORS = 65536 };

/// What the guard has done since the start of the process.
struct cguard_counts {
  /// Connections handed to libzmq.
  uint64_t accepted;
  /// Connections closed before the end of their handshake, to make room for others.
  uint64_t displaced;
  /// Connections closed at once, because there was no room.
  uint64_t refused;
  /// Connections that sent, or announced, more than a handshake needs.
  uint64_t oversized;
  /// Connections that are before the end of their handshake now.
  uint64_t unfinished;
};

/// From now on connections that this process accepts are guarded. May be called again.
void cguard_start(const struct cguard_limits *limits);

struct cguard_counts cguard_read_counts(void);

/// Whoever is told of accepted connections has heard of the first `accepted`.
void cguard_acknowledge(uint64_t accepted);

/// Whether libzmq's calls arrive here: a listening socket of this process has accepted through it.
int cguard_is_linked(void);

#endif
