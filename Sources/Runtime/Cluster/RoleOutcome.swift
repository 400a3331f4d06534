import Protocol
import Synchronization

/// How a role's process ends: the code for its supervisor and a sentence for people.
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

/// Where a handler on the network thread leaves how its role ended.
final class OutcomeBox: Sendable {
  private let outcome = Mutex<RoleOutcome?>(nil)

  /// Keeps the first outcome.
  func set(_ value: RoleOutcome) {
    outcome.withLock { if $0 == nil { $0 = value } }
  }

  var isSet: Bool { outcome.withLock { $0 != nil } }

  /// What was set, or a failure that says that nothing was.
  var value: RoleOutcome {
    outcome.withLock { $0 }
      ?? RoleOutcome(exitCode: .software, message: "The network thread ended without a reason.")
  }
}
