import Synchronization
import Telemetry
import Transport

/// Where the loop of a process leaves copies of its counters for the thread that answers requests.
///
/// The loop never waits for a reader: the lock is held only while references are copied, and texts
/// are made on the reader's thread.
package final class TelemetryBoard: Sendable {
  /// Whether a part of the process does its work, and what it is doing.
  package struct Status: Sendable, Equatable {
    package var isReady: Bool
    /// In a few words, such as `loading the data`.
    package var activity: String

    package init(isReady: Bool, activity: String) {
      self.isReady = isReady
      self.activity = activity
    }
  }

  /// How often the loop leaves a copy, seconds.
  static let interval = 0.25

  /// The counters of a part of the process, such as a role or its sockets.
  package struct Part: Sendable {
    /// A later copy replaces an earlier one of the same name.
    let name: String
    let source: any MetricSource
    /// nil for a part that is not waited for.
    let status: Status?

    package init(_ name: String, _ source: any MetricSource, _ status: Status?) {
      self.name = name
      self.source = source
      self.status = status
    }

    /// The counters of a role's sockets.
    static func network(_ role: String, _ statistics: TransportStatistics) -> Part {
      Part("network", NetworkMetrics(role: role, statistics: statistics), nil)
    }
  }

  private struct State {
    var parts: [Part] = []
    var nextCopy = -Double.infinity
  }

  /// How long the loop may take for one turn before the process counts as hanging, seconds.
  package let patience: Double
  private let state = Mutex(State())
  /// ``MonotonicClock`` seconds of the loop's last turn, as bits; 0 before the first.
  private let turnedAt = Atomic<UInt64>(0)

  package init(patience: Double = 30) { self.patience = patience }

  /// The loop has turned.
  package func turned() {
    turnedAt.store(MonotonicClock.seconds.bitPattern, ordering: .relaxed)
  }

  /// Leaves a copy of the counters, if it is time for one.
  ///
  /// - Parameter make: called only then.
  package func leave(at now: Double, _ make: () -> [Part]) {
    let isDue = state.withLock { state in
      guard now >= state.nextCopy else { return false }
      state.nextCopy = now + Self.interval
      return true
    }
    if isDue { leaveLast(make()) }
  }

  /// Leaves a copy of the counters, whatever the time: the last one of a process.
  package func leaveLast(_ parts: [Part]) {
    state.withLock { state in
      for part in parts {
        if let place = state.parts.firstIndex(where: { $0.name == part.name }) {
          state.parts[place] = part
        } else {
          state.parts.append(part)
        }
      }
    }
  }

  // MARK: Reading, on any thread

  /// The metrics of the latest copies.
  package var families: [MetricFamily] {
    let parts = state.withLock { $0.parts }
    return parts.flatMap(\.source.families)
  }

  /// Seconds since the loop has turned; nil before its first turn.
  package var turnAge: Double? {
    let bits = turnedAt.load(ordering: .relaxed)
    return bits == 0 ? nil : max(0, MonotonicClock.seconds - Double(bitPattern: bits))
  }

  /// Whether the loop has turned within ``patience``. Before its first turn, while data is loaded,
  /// the process counts as alive.
  package var isAlive: Bool { (turnAge ?? 0) <= patience }

  /// Whether all parts of the process do their work, and what they are doing.
  package var status: Status {
    let known = state.withLock { $0.parts }.compactMap { part in
      part.status.map { (name: part.name, status: $0) }
    }
    guard !known.isEmpty else { return Status(isReady: false, activity: "starting") }
    return Status(
      isReady: isAlive && known.allSatisfy(\.status.isReady),
      activity: known.map { "\($0.name): \($0.status.activity)" }.joined(separator: "; "))
  }
}
