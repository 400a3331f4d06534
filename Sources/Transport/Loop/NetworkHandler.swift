public import Messages

/// What a process does with its network: reacts to messages, time and events of other threads.
///
/// All calls come from the loop's thread, one at a time; a handler must not block it for long.
public protocol NetworkHandler<Event>: AnyObject {
  /// What other threads hand over.
  associatedtype Event: Sendable

  /// Before anything else: the place to bind and connect. An error ends the loop.
  func started(on loop: NetworkLoop<Event>) throws

  /// A message arrived, not yet decoded. Messages of one peer come in the order of their sending.
  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Event>)

  /// `undelivered` messages were queued for a peer that has left. Messages that libzmq had already
  /// taken may be lost as well, which only the peer's answer can tell.
  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Event>)

  /// The tick interval has passed. `now` is ``MonotonicClock/now``.
  func ticked(at now: Duration, on loop: NetworkLoop<Event>)

  /// An event of another thread.
  func posted(_ event: Event, on loop: NetworkLoop<Event>)
}
