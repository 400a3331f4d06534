/// What the coordinator's queues have to say to its network thread.
enum CoordinatorNews: Sendable {
  case checkpoints(CheckpointKeeper.Outcome)
  case model(BestModelKeeper.Report)
}
