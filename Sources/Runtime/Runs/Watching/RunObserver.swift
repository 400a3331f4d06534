import Configuration
import Coordinator
import Foundation
import Protocol
import Synchronization
import Transport

/// Follows the run of this process and makes overviews of it.
///
/// The thread that runs the coordinator passes on what happens: a few values under a lock, nothing
/// is encoded there. Overviews are made on the threads that ask for them, from a copy, and at most
/// one a second for the same request. Nothing of this reaches the run.
package final class RunObserver: Sendable {
  /// How old an overview may be, seconds.
  private static let freshness = 1.0

  private struct State {
    /// nil until the run is open.
    var history: ObservedRun?
    /// Encoded, by the first epoch.
    var encoded: [UInt32: (bytes: [UInt8], at: Double)] = [:]
    var lastLookAt = -Double.infinity
    /// When an overview was last asked for.
    var askedAt = -Double.infinity
    /// Whether the end of the run was in the last overview.
    var hasServedEnd = false
  }

  private let state = Mutex(State())

  package init() {}

  // MARK: What happens, from the thread of the run

  package func begin(_ run: ObservedRun) { state.withLock { $0.history = run } }

  /// - Returns: the event as overviews have it; nil if they do not.
  package func handle(
    _ event: RunEvent, at now: Double = MonotonicClock.seconds
  ) -> RunOverview.Event? {
    state.withLock { state in
      // Also the nodes of a run that is over within a second are seen.
      if case .nodeJoined = event { state.lastLookAt = -.infinity }
      return state.history?.handle(event, at: now)
    }
  }

  func showWait(for what: String, secondsLeft: Double, at now: Double = MonotonicClock.seconds) {
    state.withLock { $0.history?.showWait(for: what, secondsLeft: secondsLeft, at: now) }
  }

  /// Takes in what only the coordinator's state knows, at most once a second and for every node
  /// that joined.
  package func look(at coordinator: CoordinatorState, now: Double = MonotonicClock.seconds) {
    let isDue = state.withLock { state in
      guard state.history != nil, now - state.lastLookAt >= Self.freshness else { return false }
      state.lastLookAt = now
      return true
    }
    guard isDue else { return }
    let snapshot = coordinator.snapshot
    state.withLock { $0.history?.look(at: snapshot, now: now) }
  }

  /// The run has ended for a reason that is no event of the coordinator.
  func fail(
    _ message: String, at now: Double = MonotonicClock.seconds
  ) -> RunOverview.Event? {
    state.withLock { $0.history?.fail(message, at: now) }
  }

  // MARK: Overviews, from any thread

  /// - Parameter epoch: the first epoch that the overview has.
  /// - Returns: nil while the run is not open.
  package func overview(
    since epoch: UInt32 = 0, at now: Double = MonotonicClock.seconds
  ) -> RunOverview? {
    state.withLock { $0.history }?.overview(since: epoch, at: now)
  }

  /// The JSON of an overview.
  ///
  /// - Returns: nil while the run is not open.
  package func encodedOverview(
    since epoch: UInt32 = 0, at now: Double = MonotonicClock.seconds
  ) -> [UInt8]? {
    let (history, bytes) = state.withLock { state -> (ObservedRun?, [UInt8]?) in
      state.askedAt = now
      state.encoded = state.encoded.filter { now - $0.value.at < Self.freshness }
      let isOver = state.history?.isOver ?? false
      if isOver, !state.hasServedEnd { state.encoded = [:] }
      if isOver { state.hasServedEnd = true }
      return (state.history, state.encoded[epoch]?.bytes)
    }
    if let bytes { return bytes }
    guard let made = try? history?.overview(since: epoch, at: now).encoded() else { return nil }
    state.withLock { $0.encoded[epoch] = (made, now) }
    return made
  }

  /// Waits until the end of the run is in an overview that was asked for, if something has asked
  /// for overviews lately: an open page then shows the end although this process ends.
  package func awaitLastReader(within seconds: Double = 2.5) {
    let deadline = MonotonicClock.seconds + seconds
    while MonotonicClock.seconds < deadline {
      let isAwaited = state.withLock { state in
        state.history?.isOver == true && !state.hasServedEnd
          && MonotonicClock.seconds - state.askedAt < 5
      }
      guard isAwaited else { return }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }
}
