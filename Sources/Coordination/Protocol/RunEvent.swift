import Messages

/// What people who watch a run want to know.
public enum RunEvent: Sendable, Equatable {
  /// What a progress line counts.
  public enum Activity: String, Sendable, Equatable {
    case train
    case materialize
    case rank
  }

  case nodeJoined(role: NodeRole, rank: UInt32, host: String)
  case nodeRefused(role: NodeRole, host: String, reason: String)
  /// A warning: a node left while the cluster was forming; another can take its place.
  case nodeLeft(role: NodeRole, rank: UInt32, host: String, reason: String)
  /// A warning: some workers have no shard of a batch and only take part in evaluations.
  case idleWorkers(count: UInt32, shardCount: UInt32)
  case clusterFormed(workers: UInt32, servers: UInt32, seconds: Double)
  case epochStarted(epoch: UInt32, workers: UInt32)
  /// Of the task under way: units done (steps, blocks) by the slowest worker and its total.
  case progress(Activity, epoch: UInt32, done: UInt64, total: UInt64)
  case epochFinished(EpochSummary)
  case evaluated(EvaluationSummary)
  /// The evaluation is the best so far by the selection rule; `previous` is nil for the first.
  case improved(metric: String, value: Double, previous: Double?, epoch: UInt32)
  case notImproved(metric: String, count: UInt32, patience: UInt32)
  case bestSaved(epoch: UInt32, seconds: Double)
  case stopping(RunOutcome)
}
