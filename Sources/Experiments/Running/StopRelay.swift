import Runtime
import Synchronization

/// Passes one request to stop on to every run that is under way.
final class StopRelay: Sendable {
  private let source: any StopSignals
  private let seen = Mutex<Int32?>(nil)

  init(_ source: any StopSignals) { self.source = source }

  /// The signal that asked to stop, if one did.
  var signal: Int32? {
    seen.withLock { seen in
      if seen == nil { seen = source.next() }
      return seen
    }
  }

  /// Takes note of a signal that a run got.
  func note(_ signal: Int32) { seen.withLock { $0 = $0 ?? signal } }

  /// What one run listens to: it is told once.
  func listener() -> any StopSignals { Listener(relay: self) }

  private final class Listener: StopSignals {
    private let relay: StopRelay
    private let isTold = Mutex(false)

    init(relay: StopRelay) { self.relay = relay }

    func next() -> Int32? {
      guard let signal = relay.signal else { return nil }
      return isTold.withLock { isTold in
        defer { isTold = true }
        return isTold ? nil : signal
      }
    }
  }
}
