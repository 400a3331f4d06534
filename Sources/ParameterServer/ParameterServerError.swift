/// Why a server cannot be set up.
public struct ParameterServerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of thing is wrong.
  public enum Code: Sendable, Equatable {
    /// A table's description cannot be right.
    case table
    /// The run's numbers (servers, shards, rates) cannot be right.
    case configuration
    /// The tables would not fit.
    case limit
    /// A checkpoint does not fit the run.
    case checkpoint
  }

  /// What kind of thing is wrong.
  public let code: Code
  /// One sentence: what was attempted, what was found, what to do.
  public let message: String

  /// The message.
  public var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
