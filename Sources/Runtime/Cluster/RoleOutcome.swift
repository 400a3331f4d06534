import Protocol
import Synchronization

/// How a role's process ends: the exit code for its supervisor and a sentence for the user.
package struct RoleOutcome: Sendable, Equatable {
  package var exitCode: ExitCode
  package var message: String

  package init(exitCode: ExitCode, message: String) {
    self.exitCode = exitCode
    self.message = message
  }

  init(_ departure: Departure) {
    switch departure {
    case .finished(let message): self.init(exitCode: .success, message: message)
    case .transient(let message): self.init(exitCode: .transient, message: message)
    case .permanent(let message): self.init(exitCode: .failure, message: message)
    }
  }
}

/// Passes the outcome of a role from the network thread to the main thread.
final class OutcomeBox: Sendable {
  private let outcome = Mutex<RoleOutcome?>(nil)

  /// Keeps the first outcome.
  func set(_ value: RoleOutcome) {
    outcome.withLock { if $0 == nil { $0 = value } }
  }

  var isSet: Bool { outcome.withLock { $0 != nil } }

  /// The outcome that was set; a failure if none was.
  var value: RoleOutcome {
    outcome.withLock { $0 }
      ?? RoleOutcome(exitCode: .software, message: "The network thread ended without a reason.")
  }
}
