import Protocol

/// A stop was requested and does not take effect at once: servers write a last checkpoint, so that
/// nothing needs to be trained twice, and a best model that is being saved is completed. Meanwhile
/// the phase continues, but no other is begun.
///
///     hold sent → (all servers held) → target sent → (checkpoint committed or failed) → settled
struct PendingStop: Sendable, Equatable {
  let reason: String
  private let since: Double
  /// The versions at which servers stay, of those that have answered the hold.
  private var held: [NodeID: UInt64] = [:]
  /// The version of the last checkpoint, once all servers are held.
  private var target: UInt64?
  /// Whether the last checkpoint is committed, abandoned, or not wanted.
  private(set) var isSettled: Bool

  init(reason: String, since: Double, in run: RunContext) {
    self.reason = reason
    self.since = since
    isSettled = run.plan.checkpoints == nil
  }

  /// Asks all servers to stay where they are.
  func begin(in run: RunContext) -> [CoordinatorAction] {
    [.report(.stopRequested(reason: reason))]
      + run.members.servers.map { .send(.hold(generation: run.generation), to: $0) }
  }

  /// A server stays where it is. When all do, the highest of their versions becomes the last
  /// checkpoint: one server has it, so the others can reach it.
  mutating func hold(
    _ node: NodeID, at version: UInt64, in run: RunContext
  ) -> [CoordinatorAction] {
    held[node] = version
    guard target == nil, held.count == Int(run.plan.serverCount) else {
      return missingMessage(to: node, in: run)
    }
    let target = held.values.max() ?? 0
    self.target = target
    // Version 0 is not worth a checkpoint.
    if target == 0 || target == run.checkpoints.newest {
      settle(target)
      return []
    }
    return run.members.servers.map { .send(run.checkpointOrder(target), to: $0) }
  }

  /// What a server has to know of the stop and may not: the message may be lost.
  func missingMessage(to node: NodeID, in run: RunContext) -> [CoordinatorAction] {
    guard !isSettled else { return [] }
    if let target { return [.send(run.checkpointOrder(target), to: node)] }
    return held[node] == nil ? [.send(.hold(generation: run.generation), to: node)] : []
  }

  /// A checkpoint is committed, or has failed: the stop need not wait for it any longer.
  mutating func settle(_ version: UInt64) {
    if target == version { isSettled = true }
  }

  /// Whether the stop has taken longer than it may.
  func isOverdue(in run: RunContext, at now: Double) -> Bool {
    now - since > run.plan.timing.stopTimeout
  }

  /// Abandons the last checkpoint, if it is not settled.
  mutating func giveUp(in run: RunContext) -> [CoordinatorAction] {
    guard !isSettled else { return [] }
    isSettled = true
    let timeout = run.plan.timing.stopTimeout.inSeconds
    return [
      .report(.checkpointFailed(message: "no last checkpoint was complete within \(timeout)"))
    ]
  }
}

extension RunContext {
  /// A server goes up to a version, and writes it.
  fileprivate func checkpointOrder(_ version: UInt64) -> CoordinatorMessage {
    .checkpoint(generation: generation, version: version)
  }

  /// Lets a server train to the end of the run. An earlier start of the coordinator asked it to
  /// hold, for a stop that this one does not know of.
  func release(_ node: NodeID) -> CoordinatorAction {
    .send(checkpointOrder(plan.lastVersion), to: node)
  }
}
