/// One transition of a run, as the run store writes it: what happened, and where the run stands
/// after it. Both go into the same transaction.
public struct RunRecord: Sendable, Equatable {
  public enum Change: Sendable, Equatable {
    case clusterFormed
    /// The tables go back; what depends on the new generation is said after this is written.
    case generationRaised
    case epochFinished(EpochSummary)
    case evaluated(EvaluationSummary)
    case bestSaved
    case checkpointCommitted(CommittedCheckpoint)
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
  /// Of the coordinator that recorded this; 0 in what older programs recorded.
  public var term: UInt64
  /// On how many servers the tables of the generation lie; 0 in what older programs recorded.
  public var serverCount: UInt32

  public init(
    status: RunStatus, generation: UInt64, epochsFinished: UInt32, version: UInt64,
    best: ModelSelection.Best?, isBestSaved: Bool, nonImprovingCount: UInt32,
    term: UInt64 = 1, serverCount: UInt32 = 0
  ) {
    self.status = status
    self.generation = generation
    self.epochsFinished = epochsFinished
    self.version = version
    self.best = best
    self.isBestSaved = isBestSaved
    self.nonImprovingCount = nonImprovingCount
    self.term = term
    self.serverCount = serverCount
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
