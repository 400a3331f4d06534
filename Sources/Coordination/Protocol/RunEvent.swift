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
  /// A warning: a node is given up; `how` such as `no sign of life within 15.0 s`. Another can take
  /// its place.
  case nodeLost(role: NodeRole, rank: UInt32, host: String, how: String)
  /// A warning: no worker is left. After so many seconds without one the run fails.
  case awaitingWorkers(seconds: Double)
  /// A warning: the run has waited for something for so many seconds. After `limit` of them it
  /// ends; nil: when a worker has computed for longer than it may.
  case waiting(for: String, seconds: Double, limit: Double?)
  /// A warning: some workers have no shard of a batch and only take part in evaluations.
  case idleWorkers(count: UInt32, shardCount: UInt32)
  /// A warning: a worker computes with other kernels than those before it, or than the run did
  /// before it went on.
  case otherKernels(host: String, name: String, before: [String])
  case clusterFormed(workers: UInt32, servers: UInt32, seconds: Double)
  /// A warning: which checkpoint to go back to cannot be told now; it is looked for again.
  case checkpointSearchFailed(message: String)
  /// The tables go back to a version, under a new generation.
  case recovering(generation: UInt64, version: UInt64)
  /// The run goes on in an epoch, from a version.
  case resumed(epoch: UInt32, version: UInt64, from: RunOrigin)
  case epochStarted(epoch: UInt32, workers: UInt32)
  /// Of the task under way: units done (steps, blocks) by the slowest worker and its total.
  case progress(Activity, epoch: UInt32, done: UInt64, total: UInt64)
  case epochFinished(EpochSummary)
  case evaluated(EvaluationSummary)
  /// The evaluation is the best so far by the selection rule; `previous` is nil for the first.
  case improved(metric: String, value: Double, previous: Double?, epoch: UInt32)
  case notImproved(metric: String, count: UInt32, patience: UInt32)
  case bestSaved(epoch: UInt32, seconds: Double)
  /// A warning: a stop did not wait for the best model any longer; a run that goes on saves it.
  case bestNotSaved(epoch: UInt32)
  /// A checkpoint is complete, so many seconds after the first server had written its rows.
  case checkpointCommitted(version: UInt64, seconds: Double)
  /// A warning: a checkpoint could not be written; the one before it stays the newest.
  case checkpointFailed(message: String)
  /// A warning: so many versions were due since people heard of a checkpoint, or of a failed one.
  /// `newest` is the version of the last one, if there is one; `slowest` the server that is behind
  /// the others with its files, if one is.
  case checkpointOverdue(newest: UInt64?, dueCount: UInt64, slowest: String?)
  /// The run is to end as soon as a last checkpoint is complete; asked again, at once.
  case stopRequested(reason: String)
  case stopping(RunOutcome)
}
