import Runtime

/// Why many runs cannot be made or compared.
public struct ExperimentError: ErrorWithExitCode, Sendable, Equatable, CustomStringConvertible {
  public let exitCode: ExitCode
  /// One sentence for people: what was attempted, on what, what was found, what to do.
  public let description: String

  init(_ exitCode: ExitCode, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }
}
