import Messages

/// Everything that the coordinator needs to know of a run before the first node says hello.
///
/// A plan does not change during the run. ``CoordinatorState`` accepts only plans that pass
/// ``validate()``.
public struct RunPlan: Sendable, Equatable {
  /// Nodes that name another run are refused.
  public var runID: String
  /// The fencing number of this start of the coordinator, higher than those of all starts before;
  /// the first start has 1.
  public var term: UInt64
  /// The resolved configuration, YAML, as it goes to every node.
  public var configuration: String
  /// The tables of the run, in the order of their ids.
  public var tables: [TableDescription]
  public var seed: UInt64
  /// Into how many logical shards every batch is cut (V).
  public var shardCount: UInt32
  /// How many workers must have joined before the run begins (W). More may join; once it has begun,
  /// it goes on with as few as one.
  public var workerCount: UInt32
  /// How many servers the tables lie on (S).
  public var serverCount: UInt32
  public var stepsPerEpoch: UInt32
  /// Updates per step: 1, or K when a discriminator is updated K times (`mi_rounds`). Every round
  /// makes a version.
  public var roundsPerStep: UInt32
  /// How many epochs to train at most; epochs are counted from 0.
  public var epochs: UInt32
  /// Evaluate after every so many epochs, and always after the last one.
  public var evaluationInterval: UInt32
  /// Into how many blocks the final matrices are cut when they are computed; 0 for a model whose
  /// final matrices are its tables.
  public var materializeBlockCount: UInt32
  /// Into how many blocks the users are cut when they are ranked.
  public var rankBlockCount: UInt32
  /// What a ranking counts beside the sums over users; nil: nothing.
  public var exposure: ExposurePlan?
  public var selection: SelectionRule
  /// Whether an epoch that is trained again comes to the same bits.
  public var isExact: Bool
  /// Where and when servers write their tables; nil: nowhere, and whatever is lost begins anew.
  public var checkpoints: CheckpointPlan?
  public var timing: CoordinationTiming

  public init(
    runID: String, term: UInt64 = 1, configuration: String, tables: [TableDescription],
    seed: UInt64, shardCount: UInt32, workerCount: UInt32, serverCount: UInt32,
    stepsPerEpoch: UInt32, roundsPerStep: UInt32, epochs: UInt32, evaluationInterval: UInt32 = 1,
    materializeBlockCount: UInt32, rankBlockCount: UInt32, exposure: ExposurePlan? = nil,
    selection: SelectionRule, isExact: Bool = true, checkpoints: CheckpointPlan? = nil,
    timing: CoordinationTiming = CoordinationTiming()
  ) {
    self.runID = runID
    self.term = term
    self.configuration = configuration
    self.tables = tables
    self.seed = seed
    self.shardCount = shardCount
    self.workerCount = workerCount
    self.serverCount = serverCount
    self.stepsPerEpoch = stepsPerEpoch
    self.roundsPerStep = roundsPerStep
    self.epochs = epochs
    self.evaluationInterval = evaluationInterval
    self.materializeBlockCount = materializeBlockCount
    self.rankBlockCount = rankBlockCount
    self.exposure = exposure
    self.selection = selection
    self.isExact = isExact
    self.checkpoints = checkpoints
    self.timing = timing
  }

  /// How many versions of the tables an epoch makes: one per round of every step.
  public var versionsPerEpoch: UInt64 { UInt64(stepsPerEpoch) * UInt64(roundsPerStep) }

  /// The version that the tables have before the first round of an epoch.
  public func firstVersion(ofEpoch epoch: UInt32) -> UInt64 { UInt64(epoch) * versionsPerEpoch }

  /// The version that the tables have when all epochs are trained.
  public var lastVersion: UInt64 { firstVersion(ofEpoch: epochs) }

  /// Whether the model is evaluated after an epoch.
  public func isEvaluationDue(afterEpoch epoch: UInt32) -> Bool {
    let finished = UInt64(epoch) + 1
    return finished % UInt64(evaluationInterval) == 0 || finished == UInt64(epochs)
  }
}
