import Protocol

/// What is reported to the user.
package enum RunEvent: Sendable, Equatable {
  /// What a progress line counts.
  package enum Activity: String, Sendable, Equatable {
    case train
    case materialize
    case rank
  }

  case nodeJoined(role: NodeRole, rank: UInt32, host: String)
  case nodeRefused(role: NodeRole, host: String, reason: String)
  /// A warning: a node is lost; `how` such as `no sign of life within 15.0 s`. Another can take
  /// its place.
  case nodeLost(role: NodeRole, rank: UInt32, host: String, how: String)
  /// A warning: no worker is left. After so many seconds without one the run fails.
  case awaitingWorkers(seconds: Double)
  /// A warning: the run has waited for something for so many seconds. After `limit` of them it
  /// ends; nil: when a worker has computed for longer than it may.
  case waiting(for: String, seconds: Double, limit: Double?)
  /// A warning: some workers have no shard of a batch and only take part in evaluations.
  case idleWorkers(count: UInt32, shardCount: UInt32)
  /// A warning: a worker computes with other kernels than earlier workers, or than the run did
  /// before it was resumed.
  case otherKernels(host: String, name: String, before: [String])
  case clusterFormed(workers: UInt32, servers: UInt32, seconds: Double)
  /// A warning: the newest checkpoint cannot be determined; the search is repeated.
  case checkpointSearchFailed(message: String)
  /// A warning: the newest checkpoint lacks files, and an older one takes its place.
  case olderCheckpoint(message: String)
  /// The tables are rolled back to a version, under a new generation.
  case recovering(generation: UInt64, version: UInt64)
  /// The run is resumed in an epoch, from a version.
  case resumed(epoch: UInt32, version: UInt64, from: RunOrigin)
  /// An epoch is trained; after a rollback or a new start its rest, beyond the share of its steps
  /// that was trained before.
  case epochStarted(epoch: UInt32, workers: UInt32, share: Double = 0)
  /// Of the task under way: units done (steps, blocks) by the slowest worker and its total.
  case progress(Activity, epoch: UInt32, done: UInt64, total: UInt64)
  case epochFinished(EpochSummary)
  case evaluated(EvaluationSummary)
  /// The evaluation is the best so far by the selection rule; `previous` is nil for the first.
  case improved(metric: String, value: Double, previous: Double?, epoch: UInt32)
  /// The evaluation is not better than `best`, for the `count`th time in a row.
  case notImproved(best: ModelSelection.Best?, count: UInt32)
  case bestSaved(epoch: UInt32, seconds: Double)
  /// A warning: a stop did not wait for the best model; it is saved when the run is resumed.
  case bestNotSaved(epoch: UInt32)
  /// A checkpoint is complete, so many seconds after the first server had written its rows.
  case checkpointCommitted(version: UInt64, seconds: Double)
  /// A warning: a checkpoint could not be written; the one before it stays the newest.
  case checkpointFailed(message: String)
  /// A warning: so many versions were due since a checkpoint, complete or failed, was reported.
  /// `newest` is the version of the last one, if there is one; `slowest` the server that is behind
  /// the others with its files, if one is.
  case checkpointOverdue(newest: UInt64?, dueCount: UInt64, slowest: String?)
  /// The run is to end as soon as a last checkpoint is complete; asked again, at once.
  case stopRequested(reason: String)
  case stopping(RunOutcome)
}

/// What an epoch of training reported.
package struct EpochSummary: Sendable, Equatable, Codable {
  /// Counted from 0.
  package var epoch: UInt32
  /// The version of the tables after the epoch.
  package var version: UInt64
  /// `loss.…` and `stat.…` are means over the steps, everything else sums over the epoch.
  package var values: [String: Double]
  /// From the first task sent to the last one done.
  package var seconds: Double

  package init(epoch: UInt32, version: UInt64, values: [String: Double], seconds: Double) {
    self.epoch = epoch
    self.version = version
    self.values = values
    self.seconds = seconds
  }
}

/// What an evaluation measured.
package struct EvaluationSummary: Sendable, Equatable, Codable {
  /// The epoch after which the evaluation took place.
  package var epoch: UInt32
  /// The version of the tables that was evaluated.
  package var version: UInt64
  /// Means over the users of a split, unrounded, by `SPLIT.METRIC` such as `valid.recall@20`.
  package var metrics: [String: Double]
  /// How many users each split had, by split.
  package var users: [String: Double]
  package var materializeSeconds: Double
  package var rankSeconds: Double

  package init(
    epoch: UInt32, version: UInt64, metrics: [String: Double], users: [String: Double],
    materializeSeconds: Double, rankSeconds: Double
  ) {
    self.epoch = epoch
    self.version = version
    self.metrics = metrics
    self.users = users
    self.materializeSeconds = materializeSeconds
    self.rankSeconds = rankSeconds
  }

  package var seconds: Double { materializeSeconds + rankSeconds }
}
