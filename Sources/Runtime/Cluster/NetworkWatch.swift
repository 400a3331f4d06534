import Logging
import Synchronization
import Transport

/// Logs incidents at a role's sockets, such as refused connections, and explains with them why a
/// role could not join.
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
  /// One limit per kind of incident, so that many of one kind do not hide those of another.
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

  /// The settings of a role's network loop.
  ///
  /// - Parameter board: shows that the loop turns.
  func settings(_ security: Security, _ board: TelemetryBoard?) -> NetworkLoopSettings {
    var settings = NetworkLoopSettings()
    settings.security = security
    settings.live = {
      LifeSign.inherited.give()
      ServiceManager.inherited.live()
      board?.turned()
    }
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
          // A peer that hangs up explains little; any other cause is more helpful.
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

  /// The outcome of a role, with the reason if it could not reach its peers; also logs totals of
  /// the incidents.
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
        "in all, connections closed before they were authenticated: \(state.closed)")
    }
    guard outcome.exitCode == .transient, let obstacle = state.obstacle else { return outcome }
    // A peer that hung up may return; a restart does not help against the other causes.
    return obstacle.cause == .hungUp
      ? RoleOutcome(exitCode: .transient, message: "\(outcome.message) \(obstacle)")
      : RoleOutcome(exitCode: .configuration, message: "\(obstacle)")
  }
}
