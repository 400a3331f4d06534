/// What can go wrong in this module outside the protocol itself: a plan that cannot work, a run
/// store that cannot be used. (What goes wrong in a run is a ``RunFailure``, a value.)
package struct CoordinationError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: Sendable, Equatable {
    /// The plan asks for something impossible, such as no workers.
    case invalidPlan
    /// The run store cannot be opened, read or written.
    case storeUnusable
    /// The run store's path is longer than the database takes.
    case pathTooLong
    /// The run store was written by a newer program.
    case storeTooNew
    /// The run store holds another run, or none where one is needed.
    case wrongRun
    /// A later start of the coordinator has taken the run over.
    case superseded
  }

  package var code: Code
  /// One sentence for the user: what was attempted, on what, what was found, what to do.
  package var message: String

  package init(code: Code, message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
