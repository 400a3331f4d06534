import Protocol
import Recommenders

/// Everything that the coordinator needs to know of a run before the first node joins.
///
/// A plan does not change during the run. ``CoordinatorState`` accepts only plans that pass
/// ``validate()``.
package struct RunPlan: Sendable, Equatable {
  /// Nodes that name another run are refused.
  package var runID: String
  /// The fencing number of this start of the coordinator, higher than those of all starts before;
  /// the first start has 1.
  package var term: UInt64
  /// The resolved configuration, YAML, as it goes to every node.
  package var configuration: String
  /// The tables of the run, in the order of their ids.
  package var tables: [TableDescription]
  package var seed: UInt64
  /// Into how many logical shards every batch is cut (V).
  package var shardCount: UInt32
  /// How many workers must have joined before the run begins (W). More may join; once it has begun,
  /// one is enough.
  package var workerCount: UInt32
  /// How many servers the tables lie on (S).
  package var serverCount: UInt32
  package var stepsPerEpoch: UInt32
  /// Updates per step: 1, or K when a discriminator is updated K times (`mi_rounds`). Every round
  /// makes a version.
  package var roundsPerStep: UInt32
  /// How many epochs to train at most; epochs are counted from 0.
  package var epochs: UInt32
  /// After how many epochs the run stops as if it was asked to, with a last checkpoint, so that it
  /// can be resumed; nil: it trains to its end.
  package var pause: UInt32?
  /// Evaluate after every so many epochs, and always after the last one.
  package var evaluationInterval: UInt32
  /// Into how many blocks the final matrices are cut when they are computed; 0 for a model whose
  /// final matrices are its tables.
  package var materializeBlockCount: UInt32
  /// Into how many rounds of equally many of those blocks their computation is cut: a round begins
  /// when all blocks of the one before are done. At least 1.
  package var materializeRoundCount: UInt32
  /// Into how many blocks the users are cut when they are ranked.
  package var rankBlockCount: UInt32
  /// How many named sums a report of such a block has.
  package var rankSumCount: Int
  /// What a ranking counts in addition to the sums over users; nil: nothing.
  package var exposure: ExposurePlan?
  package var selection: SelectionRule
  /// Whether training an epoch again gives the same bits.
  package var isExact: Bool
  /// Where and when servers write their tables; nil: nowhere, and a rollback starts over.
  package var checkpoints: CheckpointPlan?
  package var timing: CoordinationTiming

  package init(
    runID: String, term: UInt64 = 1, configuration: String, tables: [TableDescription],
    seed: UInt64, shardCount: UInt32, workerCount: UInt32, serverCount: UInt32,
    stepsPerEpoch: UInt32, roundsPerStep: UInt32, epochs: UInt32, pause: UInt32? = nil,
    evaluationInterval: UInt32 = 1,
    materializeBlockCount: UInt32, materializeRoundCount: UInt32 = 1, rankBlockCount: UInt32,
    rankSumCount: Int = 0,
    exposure: ExposurePlan? = nil,
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
    self.pause = pause
    self.evaluationInterval = evaluationInterval
    self.materializeBlockCount = materializeBlockCount
    self.materializeRoundCount = materializeRoundCount
    self.rankBlockCount = rankBlockCount
    self.rankSumCount = rankSumCount
    self.exposure = exposure
    self.selection = selection
    self.isExact = isExact
    self.checkpoints = checkpoints
    self.timing = timing
  }

  /// How many versions of the tables an epoch makes: one per round of every step.
  package var versionsPerEpoch: UInt64 { UInt64(stepsPerEpoch) * UInt64(roundsPerStep) }

  /// The version that the tables have before the first round of an epoch.
  package func firstVersion(ofEpoch epoch: UInt32) -> UInt64 { UInt64(epoch) * versionsPerEpoch }

  /// The version that the tables have when all epochs are trained.
  package var lastVersion: UInt64 { firstVersion(ofEpoch: epochs) }

  /// When the model is evaluated.
  package var evaluations: EvaluationSchedule {
    EvaluationSchedule(epochs: epochs, interval: evaluationInterval)
  }

  /// Whether the model is evaluated after an epoch.
  package func isEvaluationDue(afterEpoch epoch: UInt32) -> Bool {
    evaluations.next(afterFinishing: epoch) == UInt64(epoch) + 1
  }
}

/// After which epochs the model is evaluated.
package struct EvaluationSchedule: Sendable, Equatable {
  /// How many epochs are trained at most.
  package let epochs: UInt32
  /// Evaluate after every so many epochs, and always after the last one. At least 1.
  package let interval: UInt32

  package init(epochs: UInt32, interval: UInt32) {
    self.epochs = epochs
    self.interval = max(1, interval)
  }

  /// How many epochs will be finished at an evaluation that is still to come.
  ///
  /// - Parameters:
  ///   - finished: how many epochs were finished at the evaluation before; 0: none.
  ///   - count: which of those to come, from 1 for the next one.
  package func next(afterFinishing finished: UInt32, count: UInt64 = 1) -> UInt64 {
    let due = UInt64(finished / interval) + max(1, count)
    let (total, isTooLarge) = due.multipliedReportingOverflow(by: UInt64(interval))
    return isTooLarge ? UInt64(epochs) : min(total, UInt64(epochs))
  }
}

/// The timeouts of the coordinator, in seconds.
package struct CoordinationTiming: Sendable, Equatable {
  /// From one heartbeat of a node to the next.
  package var heartbeatInterval: Double
  /// How long a node may be silent before it is lost.
  package var heartbeatTimeout: Double
  /// How long all nodes together may take to join and to set themselves up, at the beginning and
  /// after a loss.
  package var startupTimeout: Double
  /// How long a stop may take for a last checkpoint.
  package var stopTimeout: Double

  package init(
    heartbeatInterval: Double = 1, heartbeatTimeout: Double = 15, startupTimeout: Double = 600,
    stopTimeout: Double = 30
  ) {
    self.heartbeatInterval = heartbeatInterval
    self.heartbeatTimeout = heartbeatTimeout
    self.startupTimeout = startupTimeout
    self.stopTimeout = stopTimeout
  }
}

extension RunPlan {
  /// Name, value and tags of a sum in a message, generously.
  private static let bytesPerSum = 64
  /// Room in a message for everything else about a block, generously.
  private static let otherBytesPerBlock = 1024

  /// How many blocks of users a task may have so that their reports fit one message; 0 if not even
  /// one fits.
  var rankBlocksPerTask: Int {
    WireLimits.standard.headerBytes
      / ((exposure?.bytesPerBlock ?? 0) + rankSumCount * Self.bytesPerSum
        + Self.otherBytesPerBlock)
  }

  /// Throws ``CoordinationError`` when a run by this plan could not begin or could not end.
  package func validate() throws(CoordinationError) {
    let counts: [(name: String, value: UInt32)] = [
      ("workers", workerCount), ("servers", serverCount), ("shards", shardCount),
      ("steps per epoch", stepsPerEpoch), ("rounds per step", roundsPerStep),
      ("epochs", epochs), ("epochs between evaluations", evaluationInterval),
      ("blocks of ranked users", rankBlockCount),
      ("rounds of final matrices", materializeRoundCount),
    ]
    for count in counts where count.value == 0 {
      throw refusal("the number of \(count.name) is 0; set it to at least 1")
    }
    guard materializeBlockCount.isMultiple(of: materializeRoundCount) else {
      throw refusal(
        "\(materializeBlockCount) blocks of final matrices are not \(materializeRoundCount) rounds "
          + "of equally many")
    }
    if runID.isEmpty {
      throw refusal("the run has no id; give it one")
    }
    // Task ids begin with the term.
    if term == 0 || term > UInt64(UInt32.max) {
      throw refusal("the term is \(term); a first start has term 1, the highest is \(UInt32.max)")
    }
    if selection.metric.split(separator: ".", maxSplits: 1).count != 2 {
      throw refusal(
        "the selection metric is '\(selection.metric)'; name a split and a metric, such as "
          + "'valid.recall@20'")
    }
    try validateLargest()
    let most = WireLimits.standard.sumsPerReport
    guard rankSumCount <= most else {
      throw refusal(
        "an evaluation has \(rankSumCount) values, but a message holds \(most); choose fewer of "
          + "metrics and topk, or set metric_groups to false")
    }
    if let exposure, rankBlocksPerTask == 0 {
      let metrics = exposure.metrics.map(\.name).joined(separator: " and ")
      throw refusal(
        "\(metrics) need counts of \(exposure.bytesPerBlock) bytes of every block of users, more "
          + "than a message holds; lower topk or evaluation_block_users")
    }
    try validateTiming()
  }

  /// What no node would accept.
  private func validateLargest() throws(CoordinationError) {
    let limits = WireLimits.standard
    let counts: [(name: String, value: UInt32, most: Int)] = [
      ("workers", workerCount, limits.members), ("servers", serverCount, limits.members),
      ("shards", shardCount, limits.shards),
      ("rounds per step", roundsPerStep, limits.roundsPerStep),
    ]
    for count in counts where count.value > count.most {
      throw refusal(
        "the number of \(count.name) is \(count.value); set it to \(count.most) at most")
    }
    let (versions, isTooLarge) = versionsPerEpoch.multipliedReportingOverflow(by: UInt64(epochs))
    guard !isTooLarge, versions <= limits.versions else {
      throw refusal(
        "\(epochs) epochs of \(versionsPerEpoch) versions are more than the \(limits.versions) "
          + "versions that can be counted; train fewer epochs, or larger batches")
    }
  }

  private func validateTiming() throws(CoordinationError) {
    let durations: [(name: String, value: Double)] = [
      ("heartbeat interval", timing.heartbeatInterval),
      ("heartbeat timeout", timing.heartbeatTimeout),
      ("start-up timeout", timing.startupTimeout), ("stop timeout", timing.stopTimeout),
    ]
    for duration in durations where !(duration.value > 0 && duration.value.isFinite) {
      throw refusal("the \(duration.name) is \(duration.value) s; set it above 0")
    }
    guard timing.heartbeatInterval <= WireLimits.standard.heartbeatInterval else {
      throw refusal(
        "the heartbeat interval is \(timing.heartbeatInterval) s; set it to "
          + "\(WireLimits.standard.heartbeatInterval) s at most")
    }
    if timing.heartbeatTimeout < 2 * timing.heartbeatInterval {
      throw refusal(
        "the heartbeat timeout is \(timing.heartbeatTimeout) s with a heartbeat every "
          + "\(timing.heartbeatInterval) s, so that one late heartbeat would lose its node; set "
          + "the timeout to at least twice the interval")
    }
  }

  private func refusal(_ reason: String) -> CoordinationError {
    CoordinationError(code: .invalidPlan, message: "Cannot start run '\(runID)': \(reason).")
  }
}
