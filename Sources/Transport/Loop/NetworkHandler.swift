import Protocol

/// Reacts to messages, time and events of other threads.
///
/// The loop's thread makes all calls, one at a time; a handler must not block it for long.
package protocol NetworkHandler<Event>: AnyObject {
  /// What other threads pass to the loop.
  associatedtype Event: Sendable

  /// Called first: the place to bind and connect. An error ends the loop.
  func started(on loop: NetworkLoop<Event>) throws

  /// A message arrived, not decoded yet. Messages of one peer arrive in the order of sending.
  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Event>)

  /// A peer has left while `undelivered` messages were queued for it. Messages that libzmq had
  /// already accepted may be lost as well; only an answer of the peer shows that one arrived.
  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Event>)

  /// The tick interval has passed. `now` is ``MonotonicClock/now``.
  func ticked(at now: Duration, on loop: NetworkLoop<Event>)

  /// An event of another thread.
  func posted(_ event: Event, on loop: NetworkLoop<Event>)

  /// Called last, after ``started(on:)`` has succeeded, when the loop receives and sends no more.
  func ended(on loop: NetworkLoop<Event>)
}

extension NetworkHandler {
  package func ended(on loop: NetworkLoop<Event>) {}
}

/// One socket of a loop.
package struct ConnectionID: Hashable, Sendable {
  let number: UInt32
}

/// The sender or receiver of a message: a socket of a loop and, for a listening socket, one of the
/// peers that are connected to it.
package struct PeerID: Hashable, Sendable {
  package let connection: ConnectionID
  /// libzmq's name for the peer's connection, new for every start of a process. The peer identifies
  /// itself in its first message. Empty for the only peer of a connecting socket.
  let routingID: [UInt8]
}

/// Names of connections.
enum RoutingID {
  /// A name that was never used before: two peers with one name would get each other's messages.
  static func fresh() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    // libzmq reserves names that begin with 0.
    return [0x6d] + (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }
}
