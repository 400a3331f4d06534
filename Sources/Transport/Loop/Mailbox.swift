internal import CZeroMQ
import Glibc
import Synchronization

/// The queue through which other threads pass events to a loop.
package final class Mailbox<Event: Sendable>: Sendable {
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

  /// Queues an event for the loop and wakes the loop. Never waits.
  ///
  /// - Throws: ``TransportError`` `overloaded` when the mailbox is full, `closed` when the loop
  ///   has been asked to stop.
  package func post(_ event: Event) throws(TransportError) {
    let outcome = state.withLock { state -> PostOutcome in
      if state.isClosed { return .closed }
      if state.events.count >= capacity { return .full }
      state.events.append(event)
      return state.events.count == 1 ? .first : .later
    }
    switch outcome {
    case .first: signal.raise()
    case .later: break  // The first event in the queue has raised the signal.
    case .full:
      throw TransportError(
        .overloaded,
        "Cannot pass an event to the network thread: \(capacity) already wait for it; the thread is"
          + " stuck, or events come faster than it can handle them.")
    case .closed:
      throw TransportError(
        .closed, "Cannot pass an event to the network thread: it has been stopped.")
    }
  }

  /// Accepts no more events; the loop stops after those that are queued.
  package func close() {
    state.withLock { $0.isClosed = true }
    signal.raise()
  }

  /// Removes and returns all queued events.
  func drain() -> (events: [Event], isClosed: Bool) {
    signal.clear()
    return state.withLock { state in
      defer { state.events = [] }
      return (state.events, state.isClosed)
    }
  }
}

/// A file descriptor that any thread can make readable, in order to wake a poll.
final class WakeSignal: Sendable {
  let descriptor: CInt

  init() throws(TransportError) {
    do {
      descriptor = try valueOrErrno { eventfd(0, CInt(O_NONBLOCK | O_CLOEXEC)) }
    } catch {
      throw TransportError(error, attempt: "make an event descriptor")
    }
  }

  deinit { close(descriptor) }

  /// Makes the descriptor readable. Its counter adds up, so that a failure (overflow) means that it
  /// is readable already.
  func raise() {
    _ = try? valueOrErrno { eventfd_write(descriptor, 1) }
  }

  /// Makes the descriptor unreadable again, however often it was raised.
  func clear() {
    var count: eventfd_t = 0
    _ = try? valueOrErrno { eventfd_read(descriptor, &count) }
  }
}
