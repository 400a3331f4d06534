#define _GNU_SOURCE
#include "CConnectionGuard.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// --- the system's calls --------------------------------------------------------------------------

typedef int (*accept4_call)(int, struct sockaddr *, socklen_t *, int);
typedef ssize_t (*recv_call)(int, void *, size_t, int);
typedef ssize_t (*send_call)(int, const void *, size_t, int);
typedef int (*close_call)(int);

static _Atomic(void *) system_accept4, system_recv, system_send, system_close;

// The definition of a name that this file replaces.
static void *next(_Atomic(void *) *cache, const char *name) {
  void *found = atomic_load_explicit(cache, memory_order_acquire);
  if (!found) {
    found = dlsym(RTLD_NEXT, name);
    atomic_store_explicit(cache, found, memory_order_release);
  }
  return found;
}

// --- what is known of a connection ---------------------------------------------------------------

// How far a handshake has advanced. Without the cluster's public key no peer gets beyond `arrived`.
enum stage { unguarded = 0, arrived, welcomed };

// What a peer sends during a handshake: 64 bytes of greeting; for CURVE also HELLO (202 bytes) and
// INITIATE (266 bytes and the peer's properties, one of which is a name of at most 255 bytes).
enum { greeting_bytes = 64, handshake_bytes = 1024 };

struct connection {
  struct in6_addr address;
  uint64_t number;
  // Its index in `unfinished`.
  int place;
  int is_displaced;
  int is_ready;
  int received;
  // Complete frames of the peer.
  int frames;
  // Bytes until the end of the greeting or frame.
  int remaining;
  int header_count;
  unsigned char header[9];
};

// Read without the lock: zero means that a call does not concern the guard.
static _Atomic unsigned char stages[CGUARD_MAXIMUM_DESCRIPTORS];
static struct connection connections[CGUARD_MAXIMUM_DESCRIPTORS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cguard_limits limits;
static struct cguard_counts counts;
static uint64_t acknowledged;
static int unfinished[CGUARD_MAXIMUM_UNFINISHED];
static int unfinished_count;
// Closed to accept, and then close, a connection when no descriptor is left.
static int spare = -1;
static atomic_int is_started, is_linked;
// Listening sockets whose connections do not concern the guard: those of other libraries.
static _Atomic unsigned char exempt[CGUARD_MAXIMUM_DESCRIPTORS];

static enum stage stage_of(int descriptor) {
  if ((unsigned)descriptor >= CGUARD_MAXIMUM_DESCRIPTORS) return unguarded;
  return atomic_load_explicit(&stages[descriptor], memory_order_relaxed);
}

static int is_exempt(int listener) {
  return (unsigned)listener < CGUARD_MAXIMUM_DESCRIPTORS
    && atomic_load_explicit(&exempt[listener], memory_order_relaxed);
}

static void set_stage(int descriptor, enum stage stage) {
  atomic_store_explicit(&stages[descriptor], (unsigned char)stage, memory_order_relaxed);
}

static void begin(int descriptor, const struct in6_addr *address) {
  struct connection *connection = &connections[descriptor];
  memset(connection, 0, sizeof *connection);
  connection->address = *address;
  connection->number = counts.accepted++;
  connection->remaining = greeting_bytes;
  connection->place = unfinished_count;
  unfinished[unfinished_count++] = descriptor;
  set_stage(descriptor, arrived);
}

static void forget(int descriptor) {
  int last = unfinished[--unfinished_count];
  unfinished[connections[descriptor].place] = last;
  connections[last].place = connections[descriptor].place;
  set_stage(descriptor, unguarded);
}

static int is_same_address(const struct in6_addr *first, const struct in6_addr *second) {
  return memcmp(first, second, sizeof *first) == 0;
}

static int count_from(const struct in6_addr *address) {
  int count = 0;
  for (int index = 0; index < unfinished_count; index++) {
    const struct connection *connection = &connections[unfinished[index]];
    if (!connection->is_displaced && is_same_address(&connection->address, address)) count++;
  }
  return count;
}

static int count_present(void) {
  int count = 0;
  for (int index = 0; index < unfinished_count; index++)
    if (!connections[unfinished[index]].is_displaced) count++;
  return count;
}

// Shuts down the connection with the least advanced handshake; among equals one that has sent
// nothing; among those the oldest. libzmq sees that the peer has left, and closes it.
static int displace(const struct in6_addr *address) {
  int chosen = -1;
  for (int index = 0; index < unfinished_count; index++) {
    int candidate = unfinished[index];
    const struct connection *connection = &connections[candidate];
    if (connection->is_displaced) continue;
    if (address && !is_same_address(&connection->address, address)) continue;
    if (chosen >= 0) {
      const struct connection *other = &connections[chosen];
      if (stage_of(candidate) != stage_of(chosen)) {
        if (stage_of(candidate) > stage_of(chosen)) continue;
      } else if ((connection->received > 0) != (other->received > 0)) {
        if (connection->received > 0) continue;
      } else if (connection->number > other->number) {
        continue;
      }
    }
    chosen = candidate;
  }
  if (chosen < 0) return 0;
  connections[chosen].is_displaced = 1;
  counts.displaced++;
  (void)shutdown(chosen, SHUT_RDWR);
  return 1;
}

// IPv4 mapped to IPv6; all Unix sockets have the same address.
static struct in6_addr address_of(const struct sockaddr_storage *peer) {
  struct in6_addr address = IN6ADDR_ANY_INIT;
  if (peer->ss_family == AF_INET6) {
    address = ((const struct sockaddr_in6 *)peer)->sin6_addr;
  } else if (peer->ss_family == AF_INET) {
    const struct sockaddr_in *peer4 = (const struct sockaddr_in *)peer;
    address.s6_addr[10] = address.s6_addr[11] = 0xff;
    memcpy(&address.s6_addr[12], &peer4->sin_addr, 4);
  }
  return address;
}

// --- called from Swift ---------------------------------------------------------------------------

static int open_spare(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

void cguard_start(const struct cguard_limits *new_limits) {
  pthread_mutex_lock(&lock);
  limits = *new_limits;
  if (limits.unfinished > CGUARD_MAXIMUM_UNFINISHED) limits.unfinished = CGUARD_MAXIMUM_UNFINISHED;
  if (spare < 0) spare = open_spare();
  pthread_mutex_unlock(&lock);
  atomic_store(&is_started, 1);
}

struct cguard_counts cguard_read_counts(void) {
  pthread_mutex_lock(&lock);
  struct cguard_counts result = counts;
  result.unfinished = (uint64_t)unfinished_count;
  pthread_mutex_unlock(&lock);
  return result;
}

void cguard_acknowledge(uint64_t accepted) {
  pthread_mutex_lock(&lock);
  if (accepted > acknowledged) acknowledged = accepted;
  pthread_mutex_unlock(&lock);
}

void cguard_exempt(int listener) {
  if ((unsigned)listener < CGUARD_MAXIMUM_DESCRIPTORS)
    atomic_store_explicit(&exempt[listener], 1, memory_order_relaxed);
}

int cguard_is_linked(void) { return atomic_load(&is_linked); }

// --- accept4 -------------------------------------------------------------------------------------

// Accepts a connection and closes it, so that a listening socket does not stay ready while no
// descriptor is left.
static void turn_away(accept4_call system_call, close_call system_close_call, int listener) {
  (void)displace(NULL);
  if (spare >= 0) (void)system_close_call(spare);
  int descriptor = system_call(listener, NULL, NULL, SOCK_CLOEXEC);
  if (descriptor >= 0) {
    counts.refused++;
    (void)system_close_call(descriptor);
  }
  spare = open_spare();
}

// Whether there is room for the new connection; makes room if possible.
static int has_room(int descriptor, const struct in6_addr *address) {
  if (descriptor >= CGUARD_MAXIMUM_DESCRIPTORS || descriptor >= limits.reserved_descriptor) {
    (void)displace(NULL);
    return 0;
  }
  // Too many events of earlier connections wait unread in libzmq's unbounded queue.
  if (counts.accepted - acknowledged >= (uint64_t)limits.unacknowledged) return 0;
  // Possible only while displaced connections are not closed yet.
  if (unfinished_count >= CGUARD_MAXIMUM_UNFINISHED) return 0;
  if (count_from(address) >= limits.unfinished_per_address)
    (void)displace(address);
  else if (count_present() >= limits.unfinished || descriptor >= limits.crowded_descriptor)
    (void)displace(NULL);
  return 1;
}

int accept4(int listener, struct sockaddr *peer, socklen_t *peer_size, int flags) {
  accept4_call system_call = (accept4_call)next(&system_accept4, "accept4");
  if (!atomic_load_explicit(&is_started, memory_order_relaxed) || is_exempt(listener))
    return system_call(listener, peer, peer_size, flags);
  close_call system_close_call = (close_call)next(&system_close, "close");
  atomic_store(&is_linked, 1);

  struct sockaddr_storage storage;
  memset(&storage, 0, sizeof storage);
  socklen_t size = sizeof storage;
  int descriptor = system_call(listener, (struct sockaddr *)&storage, &size, flags);
  if (descriptor < 0) {
    if (errno != EMFILE && errno != ENFILE) return -1;
    pthread_mutex_lock(&lock);
    turn_away(system_call, system_close_call, listener);
    int is_stuck = spare < 0;
    pthread_mutex_unlock(&lock);
    // Without a spare descriptor the listening socket stays ready; the pause limits the polling.
    if (is_stuck) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    errno = EAGAIN;
    return -1;
  }
  struct in6_addr address = address_of(&storage);
  pthread_mutex_lock(&lock);
  int is_welcome = has_room(descriptor, &address);
  if (is_welcome)
    begin(descriptor, &address);
  else
    counts.refused++;
  pthread_mutex_unlock(&lock);
  if (!is_welcome) {
    (void)system_close_call(descriptor);
    errno = ECONNABORTED;
    return -1;
  }
  if (peer && peer_size) {
    memcpy(peer, &storage, *peer_size < size ? *peer_size : size);
    *peer_size = size;
  }
  return descriptor;
}

// --- recv ----------------------------------------------------------------------------------------

// Without security libzmq sends READY before it has received anything, hence the frame.
static int is_done(const struct connection *connection) {
  return connection->is_ready && connection->frames > 0;
}

// Follows ZMTP 3's framing. 0 if the peer announces a frame that is too long for a handshake.
static int follow(struct connection *connection, const unsigned char *bytes, ssize_t count) {
  for (ssize_t index = 0; index < count;) {
    if (connection->remaining > 0) {
      ssize_t step = count - index;
      if (step > connection->remaining) step = connection->remaining;
      index += step;
      connection->remaining -= (int)step;
      connection->received += (int)step;
      int is_frame = connection->received > greeting_bytes;
      if (connection->remaining == 0 && is_frame) connection->frames++;
      continue;
    }
    // Frames after the handshake are not limited here.
    if (is_done(connection)) return 1;
    connection->header[connection->header_count++] = bytes[index++];
    connection->received++;
    int is_long = connection->header[0] & 2;
    if (connection->header_count < (is_long ? 9 : 2)) continue;
    uint64_t size = 0;
    for (int place = 1; place < connection->header_count; place++)
      size = size << 8 | connection->header[place];
    connection->header_count = 0;
    if (size > handshake_bytes) return 0;
    connection->remaining = (int)size;
    if (size == 0) connection->frames++;
  }
  return 1;
}

ssize_t recv(int descriptor, void *buffer, size_t size, int flags) {
  recv_call system_call = (recv_call)next(&system_recv, "recv");
  if (stage_of(descriptor) == unguarded) return system_call(descriptor, buffer, size, flags);

  struct connection *connection = &connections[descriptor];
  // Only one thread receives; the lock is for other threads that read these fields.
  size_t allowed = (size_t)(handshake_bytes - connection->received);
  int is_acceptable = allowed > 0;
  ssize_t count = 0;
  if (is_acceptable) {
    count = system_call(descriptor, buffer, size < allowed ? size : allowed, flags);
    if (count <= 0) return count;
  }
  pthread_mutex_lock(&lock);
  is_acceptable = is_acceptable && follow(connection, buffer, count);
  if (!is_acceptable)
    counts.oversized++;
  else if (is_done(connection))
    forget(descriptor);
  pthread_mutex_unlock(&lock);
  if (is_acceptable) return count;
  errno = ECONNRESET;
  return -1;
}

// --- send ----------------------------------------------------------------------------------------

// Whether libzmq's bytes begin with a command of that name; `name` begins with its length.
static int begins_with_command(const unsigned char *bytes, size_t size, const char *name) {
  size_t length = strlen(name);
  if (size < 1 || !(bytes[0] & 4)) return 0;
  size_t header = bytes[0] & 2 ? 9 : 2;
  return size >= header + length && memcmp(bytes + header, name, length) == 0;
}

ssize_t send(int descriptor, const void *buffer, size_t size, int flags) {
  send_call system_call = (send_call)next(&system_send, "send");
  if (stage_of(descriptor) == unguarded) return system_call(descriptor, buffer, size, flags);

  // libzmq sends each handshake command in a call of its own, because the next command waits for
  // the peer's answer. READY is the last one before messages; with keys it is sent only if the
  // peer's key is allowed.
  pthread_mutex_lock(&lock);
  if (begins_with_command(buffer, size, "\7WELCOME")) set_stage(descriptor, welcomed);
  if (begins_with_command(buffer, size, "\5READY")) {
    connections[descriptor].is_ready = 1;
    if (is_done(&connections[descriptor])) forget(descriptor);
  }
  pthread_mutex_unlock(&lock);
  return system_call(descriptor, buffer, size, flags);
}

// --- close ---------------------------------------------------------------------------------------

int close(int descriptor) {
  close_call system_call = (close_call)next(&system_close, "close");
  if (stage_of(descriptor) != unguarded) {
    pthread_mutex_lock(&lock);
    if (stage_of(descriptor) != unguarded) forget(descriptor);
    pthread_mutex_unlock(&lock);
  }
  // The number may be that of any file next.
  if (is_exempt(descriptor))
    atomic_store_explicit(&exempt[descriptor], 0, memory_order_relaxed);
  return system_call(descriptor);
}
