import Logging
import Synchronization
import Transport

/// Keeps the log of what happens at the edge of a role's network, and explains with it why a role
/// could not join.
final class NetworkWatch: Sendable {
  private struct State {
    var keysRefused = 0
    var handshakesFailed = 0
    var closed = ConnectionGuard.Closed()
    var malformedMessages = 0
    /// Why the last attempt to connect failed; nil once one has succeeded.
    var obstacle: HandshakeFailure?
  }

  private let logger: Logger
  /// Limits of their own, so that strangers of one kind do not hide those of another.
  private let refusedKeys: RateLimitedLog
  private let failures: [HandshakeFailure.Cause: RateLimitedLog]
  private let limited: RateLimitedLog
  private let malformed: RateLimitedLog
  private let state = Mutex(State())

  init(label: String) {
    logger = Logger(label: label)
    refusedKeys = RateLimitedLog(label: label)
    failures = Dictionary(
      uniqueKeysWithValues: HandshakeFailure.Cause.allCases.map {
        ($0, RateLimitedLog(label: label))
      })
    limited = RateLimitedLog(label: label)
    malformed = RateLimitedLog(label: label)
  }

  /// How a role's loop behaves.
  func settings(_ security: Security) -> NetworkLoopSettings {
    var settings = NetworkLoopSettings()
    settings.security = security
    settings.live = { LifeSign.inherited.give() }
    settings.report = { [self] in note($0) }
    return settings
  }

  private func note(_ incident: NetworkIncident) {
    switch incident {
    case .keyRefused:
      state.withLock { $0.keysRefused += 1 }
      refusedKeys.warning("\(incident)")
    case .handshakeFailed(let failure):
      state.withLock {
        if failure.isListening {
          $0.handshakesFailed += 1
        } else if failure.cause != .hungUp || $0.obstacle == nil {
          // Who may hang up first is chance; another cause says more.
          $0.obstacle = failure
        }
      }
      failures[failure.cause]?.warning("\(incident)")
    case .connectionsLimited(let closed):
      state.withLock { $0.closed.add(closed) }
      limited.warning("\(incident)")
    case .connected:
      state.withLock { $0.obstacle = nil }
    case .malformedMessage:
      state.withLock { $0.malformedMessages += 1 }
      malformed.warning("\(incident)")
    }
  }

  /// The outcome of a role, with what stood in the way if it could not reach the others; also logs
  /// how often strangers came.
  func explain(_ outcome: RoleOutcome) -> RoleOutcome {
    let state = state.withLock { $0 }
    if state.keysRefused + state.handshakesFailed + state.malformedMessages > 0 {
      logger.warning(
        """
        in all: refused \(state.keysRefused) connections with a key that is not allowed and \
        \(state.handshakesFailed) that failed otherwise, dropped \(state.malformedMessages) \
        messages
        """)
    }
    if state.closed != ConnectionGuard.Closed() {
      logger.warning(
        "in all, connections closed before they had said who they are: \(state.closed)")
    }
    guard outcome.exitCode == .transient, let obstacle = state.obstacle else { return outcome }
    // A peer that hung up may be back; against the other causes starting again does not help.
    return obstacle.cause == .hungUp
      ? RoleOutcome(exitCode: .transient, message: "\(outcome.message) \(obstacle)")
      : RoleOutcome(exitCode: .configuration, message: "\(obstacle)")
  }
}
