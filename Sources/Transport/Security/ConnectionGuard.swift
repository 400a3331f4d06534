internal import CConnectionGuard
internal import Glibc
internal import Synchronization

/// Bounds what peers can take before they have proved who they are: descriptors and memory. See
/// `CConnectionGuard`, which stands between libzmq and the system, for how.
///
/// There is one per process, because descriptors belong to the process.
public enum ConnectionGuard {
  /// How many connections were closed, and why.
  public struct Closed: Sendable, Equatable, CustomStringConvertible {
    /// To make room for others; those first that had said least, of these the oldest.
    public var displaced = 0
    /// At once, because there was no room.
    public var refused = 0
    /// Because they sent, or announced, more than a handshake needs.
    public var oversized = 0

    public init() {}

    public mutating func add(_ other: Closed) {
      displaced += other.displaced
      refused += other.refused
      oversized += other.oversized
    }

    /// What a sentence ends in, such as `12 to make room for others`.
    public var description: String {
      let reasons = [
        (displaced, "to make room for others"), (refused, "for lack of room"),
        (oversized, "because they sent more than a handshake"),
      ]
      return reasons.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
  }

  /// How many descriptors the process may have open; the guard knows no higher ones.
  public static var descriptorLimit: Int {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1024 }
    return Int(min(limit.rlim_cur, rlim_t(CGUARD_MAXIMUM_DESCRIPTORS)))
  }

  /// Lets this process have as many descriptors as the system allows it, as far as the guard knows
  /// them.
  public static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return }
    let wanted = min(limit.rlim_max, rlim_t(CGUARD_MAXIMUM_DESCRIPTORS))
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    // Refused, it stays as it was.
    _ = setrlimit(resource, &limit)
  }

  private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }

  /// Most connections that are told of by libzmq and not looked at yet. Its queue has no limit.
  private static let unreadConnections: CInt = 16_384

  /// Guards what this process accepts from now on.
  static func start() {
    let descriptors = descriptorLimit
    // What is kept for files and for connections of our own.
    let reserved = min(max(descriptors / 4, 8), 1024)
    // A hundred workers of one machine may come at the same time.
    let unfinished = min(max(descriptors / 4, 16), 512)
    var limits = cguard_limits(
      unfinished: CInt(unfinished), unfinished_per_address: CInt(unfinished / 2),
      crowded_descriptor: CInt(descriptors - reserved - unfinished / 2),
      reserved_descriptor: CInt(descriptors - reserved), unacknowledged: unreadConnections)
    cguard_start(&limits)
  }

  /// Whether libzmq's calls pass through the guard; known once it has accepted a connection.
  public static var isLinked: Bool { cguard_is_linked() != 0 }

  /// Connections that are before the end of their handshake.
  public static var unfinishedCount: Int { Int(cguard_read_counts().unfinished) }

  /// Connections handed to libzmq so far.
  static var acceptedCount: UInt64 { cguard_read_counts().accepted }

  /// Whoever reads libzmq's news has heard of so many connections.
  static func acknowledge(_ count: UInt64) { cguard_acknowledge(count) }

  private static let reported = Mutex(Closed())

  /// What was closed since the last call, by whomever.
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
