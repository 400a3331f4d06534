/// One transition of a run, as the run store writes it: what happened, and where the run stands
/// after it. Both go into the same transaction.
public struct RunRecord: Sendable, Equatable {
  public enum Change: Sendable, Equatable {
    case clusterFormed
    case epochFinished(EpochSummary)
    case evaluated(EvaluationSummary)
    case bestSaved
    case ended(message: String)
  }

  public var change: Change
  public var standing: RunStanding

  public init(change: Change, standing: RunStanding) {
    self.change = change
    self.standing = standing
  }
}

/// Where a run stands: what a coordinator that starts again would have to know.
public struct RunStanding: Sendable, Equatable {
  public var status: RunStatus
  public var generation: UInt64
  public var epochsFinished: UInt32
  /// The version of the tables after the finished epochs.
  public var version: UInt64
  /// The best evaluation so far.
  public var best: ModelSelection.Best?
  /// Whether the files of the best model are completely written.
  public var isBestSaved: Bool
  public var nonImprovingCount: UInt32

  public init(
    status: RunStatus, generation: UInt64, epochsFinished: UInt32, version: UInt64,
    best: ModelSelection.Best?, isBestSaved: Bool, nonImprovingCount: UInt32
  ) {
    self.status = status
    self.generation = generation
    self.epochsFinished = epochsFinished
    self.version = version
    self.best = best
    self.isBestSaved = isBestSaved
    self.nonImprovingCount = nonImprovingCount
  }
}

public enum RunStatus: String, Sendable, Equatable, Codable {
  case forming
  case running
  case completed
  case earlyStopped
  case interrupted
  case failed
}
