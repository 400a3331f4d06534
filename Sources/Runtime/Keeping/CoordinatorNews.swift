/// What the coordinator's queues report to its network thread.
enum CoordinatorNews: Sendable {
  /// The run directory or a file in it was moved or replaced; the error names it.
  case displaced(any Error)
  case checkpoints(CheckpointKeeper.Outcome)
  case model(BestModelKeeper.Report)
}
