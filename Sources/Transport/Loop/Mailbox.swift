internal import Synchronization

/// Where other threads leave events for a loop.
public final class Mailbox<Event: Sendable>: Sendable {
  private struct State {
    var events: [Event] = []
    var isClosed = false
  }

  private enum PostOutcome { case first, later, full, closed }

  private let state = Mutex(State())
  private let capacity: Int
  let signal: WakeSignal

  init(capacity: Int) throws(TransportError) {
    self.capacity = capacity
    signal = try WakeSignal()
  }

  /// Hands an event to the loop and wakes it. Never waits.
  ///
  /// - Throws: ``TransportError`` `overloaded` when the mailbox is full, `closed` when the loop
  ///   has been asked to stop.
  public func post(_ event: Event) throws(TransportError) {
    let outcome = state.withLock { state -> PostOutcome in
      if state.isClosed { return .closed }
      if state.events.count >= capacity { return .full }
      state.events.append(event)
      return state.events.count == 1 ? .first : .later
    }
    switch outcome {
    case .first: signal.raise()
    case .later: break  // Whoever was first has raised the signal.
    case .full:
      throw TransportError(
        .overloaded,
        "Cannot hand an event to the network thread: \(capacity) already wait for it; it is stuck,"
          + " or events are made faster than it can take them.")
    case .closed:
      throw TransportError(
        .closed, "Cannot hand an event to the network thread: it has been stopped.")
    }
  }

  /// Takes no more events, and lets the loop stop after those that are there.
  public func close() {
    state.withLock { $0.isClosed = true }
    signal.raise()
  }

  /// All waiting events, at once.
  func drain() -> (events: [Event], isClosed: Bool) {
    signal.clear()
    return state.withLock { state in
      defer { state.events = [] }
      return (state.events, state.isClosed)
    }
  }
}
