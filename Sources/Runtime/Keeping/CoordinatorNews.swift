/// What the coordinator's queues have to say to its network thread.
enum CoordinatorNews: Sendable {
  /// The run's paths do not lead to its files any more; the error says which.
  case displaced(any Error)
  case checkpoints(CheckpointKeeper.Outcome)
  case model(BestModelKeeper.Report)
}
