internal import CConnectionGuard
import Glibc
import Synchronization

/// Limits the descriptors and the memory that peers can use before they are authenticated.
/// `CConnectionGuard` implements the limits between libzmq and the system.
///
/// There is one guard per process, because descriptors belong to the process.
package enum ConnectionGuard {
  /// Numbers of closed connections by reason.
  package struct Closed: Sendable, Equatable, CustomStringConvertible {
    /// Closed to make room for new ones: the least advanced handshake first, then the oldest.
    package var displaced = 0
    /// Closed at once, because there was no room.
    package var refused = 0
    /// Closed because they sent, or announced, more bytes than a handshake needs.
    package var oversized = 0

    package init() {}

    package mutating func add(_ other: Closed) {
      displaced += other.displaced
      refused += other.refused
      oversized += other.oversized
    }

    /// The end of a log sentence, such as `12 to make room for others`.
    package var description: String {
      let reasons = [
        (displaced, "to make room for others"), (refused, "for lack of room"),
        (oversized, "because they sent more than a handshake"),
      ]
      return reasons.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
  }

  /// How many descriptors the process may have open, at most as many as the guard can track.
  package static var descriptorLimit: Int {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1024 }
    return Int(min(limit.rlim_cur, rlim_t(CGUARD_MAXIMUM_DESCRIPTORS)))
  }

  /// Raises the descriptor limit to what the system allows, at most to what the guard can track.
  package static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return }
    let wanted = min(limit.rlim_max, rlim_t(CGUARD_MAXIMUM_DESCRIPTORS))
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    // If this fails, the old limit stays.
    _ = setrlimit(resource, &limit)
  }

  private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }

  /// Most accepted connections whose libzmq events were not read yet. libzmq's queue of them is
  /// unbounded.
  private static let unreadConnections: CInt = 16_384

  /// Guards connections that this process accepts from now on.
  static func start() {
    let descriptors = descriptorLimit
    // Kept for files and outgoing connections.
    let reserved = min(max(descriptors / 4, 8), 1024)
    // A hundred workers of one machine may connect at the same time.
    let unfinished = min(max(descriptors / 4, 16), 512)
    var limits = cguard_limits(
      unfinished: CInt(unfinished), unfinished_per_address: CInt(unfinished / 2),
      crowded_descriptor: CInt(descriptors - reserved - unfinished / 2),
      reserved_descriptor: CInt(descriptors - reserved), unacknowledged: unreadConnections)
    cguard_start(&limits)
  }

  /// Lets the connections of a listening socket pass until it is closed: they are not libzmq's, and
  /// the library that accepts them limits them itself.
  package static func exempt(listener descriptor: CInt) { cguard_exempt(descriptor) }

  /// Whether libzmq's calls pass through the guard; false until it has accepted a connection.
  package static var isLinked: Bool { cguard_is_linked() != 0 }

  /// Connections whose handshake is not complete.
  package static var unfinishedCount: Int { Int(cguard_read_counts().unfinished) }

  /// Connections passed to libzmq so far.
  static var acceptedCount: UInt64 { cguard_read_counts().accepted }

  /// Reports that libzmq's events of the first `count` accepted connections were read.
  static func acknowledge(_ count: UInt64) { cguard_acknowledge(count) }

  private static let reported = Mutex(Closed())

  /// Connections closed since the last call, from any thread; nil if there are none.
  static func takeClosed() -> Closed? {
    reported.withLock { reported in
      let counts = cguard_read_counts()
      var new = Closed()
      new.displaced = Int(counts.displaced) - reported.displaced
      new.refused = Int(counts.refused) - reported.refused
      new.oversized = Int(counts.oversized) - reported.oversized
      reported.add(new)
      return new == Closed() ? nil : new
    }
  }
}
