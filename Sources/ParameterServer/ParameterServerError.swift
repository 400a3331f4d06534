/// Why a server cannot be set up.
package struct ParameterServerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of error.
  package enum Code: Sendable, Equatable {
    /// A table's description is invalid.
    case table
    /// A number of the run (servers, shards, rates) is invalid.
    case configuration
    /// The tables need more memory than allowed.
    case limit
    /// A checkpoint does not fit the run.
    case checkpoint
  }

  /// The kind of error.
  package let code: Code
  /// One sentence: what was attempted, what was found, what to do.
  package let message: String

  /// The message.
  package var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
