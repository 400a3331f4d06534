import Messages

/// What the shell has to do, in order, after an event.
public enum CoordinatorAction: Sendable, Equatable {
  case send(CoordinatorMessage, to: NodeID)
  /// Pull the final matrices and the parameters, which have `version`, and write them as the best
  /// model. Answer with `bestSaved` or `bestSaveFailed`; no step is trained until then.
  case saveBest(epoch: UInt32, version: UInt64)
  /// Make durable before any later action is performed.
  case record(RunRecord)
  /// Show to people.
  case report(RunEvent)
  /// The run is over. Always the last action; later events are answered with messages at most.
  case finish(RunOutcome)
}
