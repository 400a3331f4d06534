public import Messages

/// A message and the server that it is for.
public struct Addressed<Body: Sendable>: Sendable {
  public let server: Int
  public let body: Body

  public init(server: Int, body: Body) {
    self.server = server
    self.body = body
  }
}

/// What a task is told.
public enum WorkInput: Sendable {
  case begin
  /// The answers to a pull, one per request and in their order.
  case pulled([PullReply])
  /// The totals of a reduce, one list per request.
  case reduced([[Double]])
  /// The pushes were handed over; they need not have arrived.
  case sent
  /// The servers are beyond the version that a pull or a reduce was for, at this one: everything
  /// before it is complete on all of them.
  case versionGone(UInt64)
}

/// What a task wants next.
public enum WorkOutput: Sendable {
  case pull([Addressed<PullRequest>])
  /// Every server can add; the first one does.
  case reduce([ReduceRequest])
  case push([Addressed<PushRequest>])
  /// All is computed; the task is done when every push was acknowledged.
  case done([UnitReport])
}

/// A task as a conversation: it computes until it needs the servers, says what it needs, and goes
/// on when told the answer. It runs on whatever thread computes; it knows no socket and no clock.
public protocol Work: AnyObject {
  /// - Throws: ``TrainingError`` when the task cannot go on.
  func advance(_ input: WorkInput) throws -> WorkOutput

  /// What is done of the task, in steps or blocks.
  var progress: UInt64 { get }
}
