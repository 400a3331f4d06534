/// Counts the connections to a listening socket that libzmq ended without saying so, as a value.
///
/// libzmq tells of every connection that it accepts, and of every handshake that succeeds or fails,
/// with one exception: peers that speak another protocol, or ZeroMQ's from before it had security,
/// are hung up on in silence. A handshake takes a bounded time, so an accepted connection that is
/// older than that and of which nothing was heard has ended so. Which one it was cannot be known:
/// the ledger compares numbers, and never counts one too many.
struct HandshakeLedger {
  /// How long a connection may stay without news.
  private let patience: Duration
  /// Accepted not long ago, oldest first.
  private var recent: [(time: Duration, count: Int)] = []
  /// Connections that should have been heard of, less those that were.
  private var balance = 0
  private var reported = 0

  /// - Parameter handshakeTimeout: libzmq's limit for a handshake.
  init(handshakeTimeout: Duration) {
    patience = handshakeTimeout + .seconds(1)
  }

  mutating func accepted(at now: Duration) {
    if recent.last?.time == now {
      recent[recent.count - 1].count += 1
    } else {
      recent.append((now, 1))
    }
  }

  /// A handshake has succeeded or failed.
  mutating func concluded() { balance -= 1 }

  /// How many more connections have ended in silence than at the last call.
  mutating func takeSilent(at now: Duration) -> Int {
    let old = recent.prefix { now - $0.time > patience }
    balance += old.reduce(0) { $0 + $1.count }
    recent.removeFirst(old.count)
    guard balance > reported else { return 0 }
    defer { reported = balance }
    return balance - reported
  }
}
