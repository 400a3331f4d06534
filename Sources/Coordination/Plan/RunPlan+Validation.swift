import Evaluation
import Messages

extension RunPlan {
  /// Throws ``CoordinationError`` when a run by this plan could not begin or could not end.
  public func validate() throws(CoordinationError) {
    let counts: [(name: String, value: UInt32)] = [
      ("workers", workerCount), ("servers", serverCount), ("shards", shardCount),
      ("steps per epoch", stepsPerEpoch), ("rounds per step", roundsPerStep),
      ("epochs", epochs), ("epochs between evaluations", evaluationInterval),
      ("blocks of ranked users", rankBlockCount),
    ]
    for count in counts where count.value == 0 {
      throw refusal("the number of \(count.name) is 0; set it to at least 1")
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
    if let exposure, exposure.blocksPerTask == 0 {
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
