#ifndef CCONNECTIONGUARD_H
#define CCONNECTIONGUARD_H

#include <stddef.h>
#include <stdint.h>

// Limits what a peer can use before it is authenticated. libzmq has no option for that: it accepts
// connections until descriptors run out, and before the handshake it allocates and reads a frame
// of any declared size. So this file defines the four system calls that libzmq makes on its
// connections (accept4, recv, send, close). The linker exports them from the executable, and the
// dynamic linker then prefers them to libc's. All other callers get libc's behaviour.

struct cguard_limits {
  /// Most connections with an unfinished handshake, at most CGUARD_MAXIMUM_UNFINISHED.
  int unfinished;
  /// The same per address.
  int unfinished_per_address;
  /// From this descriptor number on, an unfinished connection is closed for every new one.
  int crowded_descriptor;
  /// From this descriptor number on, new connections are closed: the rest is reserved for files.
  int reserved_descriptor;
  /// Connections that may have been accepted since the last cguard_acknowledge.
  int unacknowledged;
};

enum { CGUARD_MAXIMUM_UNFINISHED = 1024, CGUARD_MAXIMUM_DESCRIPTORS = 65536 };

/// Counters since the start of the process.
struct cguard_counts {
  /// Connections passed to libzmq.
  uint64_t accepted;
  /// Connections closed before the end of their handshake, to make room for others.
  uint64_t displaced;
  /// Connections closed at once, because there was no room.
  uint64_t refused;
  /// Connections closed because they sent, or announced, more bytes than a handshake needs.
  uint64_t oversized;
  /// Connections whose handshake is unfinished now.
  uint64_t unfinished;
};

/// Guards the connections that this process accepts from now on. May be called again.
void cguard_start(const struct cguard_limits *limits);

/// Lets the connections of a listening socket pass, until the socket is closed: another library than
/// libzmq limits them.
void cguard_exempt(int listener);

struct cguard_counts cguard_read_counts(void);

/// Reports that libzmq's events of the first `accepted` connections were read.
void cguard_acknowledge(uint64_t accepted);

/// Whether libzmq's calls pass through the guard: a listening socket has accepted a connection
/// through it.
int cguard_is_linked(void);

#endif
