package import Runtime

/// Why a report cannot be made.
package struct ReportError: ErrorWithExitCode, Sendable, Equatable, CustomStringConvertible {
  package let exitCode: ExitCode
  /// One sentence for the user: what was attempted, on what, what was found, what to do.
  package let description: String

  init(_ exitCode: ExitCode, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }
}
