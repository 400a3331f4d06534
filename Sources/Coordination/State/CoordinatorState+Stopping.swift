import Messages

extension CoordinatorState {
  /// A stop waits for a last checkpoint, so that nothing is trained twice, and for a best model
  /// that is being written. Asked for again it takes effect at once.
  mutating func handleStop(_ reason: String, at now: Double) -> [CoordinatorAction] {
    if case .forming = phase { return end(.interrupted(reason: reason)) }
    guard self.stop == nil else { return end(.interrupted(reason: reason)) }
    var stop = Stop(reason: reason, since: now)
    stop.isCheckpointSettled = plan.checkpoints == nil
    self.stop = stop
    if stop.isCheckpointSettled { return endIfStopped() }
    return [.report(.stopRequested(reason: reason))]
      + membership.servers.map { .send(.hold(generation: generation), to: $0) }
  }

  /// A server stays where it is. When all do, the highest of their versions is the one to keep: it
  /// exists on one server, so that the others can come to it.
  mutating func handleHeld(
    generation: UInt64, version: UInt64, from node: NodeID
  ) -> [CoordinatorAction] {
    guard generation == self.generation, let member = membership[node], member.role == .server,
      member.isReady, version <= plan.lastVersion
    else { return ignore() }
    membership.raiseVersion(to: version, of: node)
    if case .forming = phase { return ignore() }
    guard var stop else { return [release(node)] }
    stop.held[node] = version
    self.stop = stop
    guard stop.target == nil, stop.held.count == Int(plan.serverCount) else {
      return repeatStop(to: node)
    }
    let target = stop.held.values.max() ?? 0
    self.stop?.target = target
    // Version 0 is nothing to keep.
    if target == 0 || target == checkpoints.newest { return settleCheckpoint(of: target) }
    return membership.servers.map { .send(checkpoint(target), to: $0) }
  }

  /// The hold was asked for by a coordinator that is gone, and whose stop nobody remembers: the
  /// server may go on to the end.
  private func release(_ node: NodeID) -> CoordinatorAction {
    .send(checkpoint(plan.lastVersion), to: node)
  }

  private func checkpoint(_ version: UInt64) -> CoordinatorMessage {
    .checkpoint(generation: generation, version: version)
  }

  /// What a server has to know of a stop: the message before may be lost.
  func repeatStop(to node: NodeID) -> [CoordinatorAction] {
    guard let stop, !stop.isCheckpointSettled else { return [] }
    if let target = stop.target { return [.send(checkpoint(target), to: node)] }
    return stop.held[node] == nil ? [.send(.hold(generation: generation), to: node)] : []
  }

  /// There will be no more news of a checkpoint. If it was the last one, the stop need not wait.
  mutating func settleCheckpoint(of version: UInt64) -> [CoordinatorAction] {
    guard stop?.target == version else { return [] }
    stop?.isCheckpointSettled = true
    return endIfStopped()
  }

  /// Nothing is begun any more.
  mutating func rest() -> [CoordinatorAction] {
    phase = .resting
    return endIfStopped()
  }

  /// Gives a last checkpoint up that takes too long, and a best model.
  mutating func limitStop(at now: Double) -> [CoordinatorAction] {
    let timeout = plan.timing.stopTimeout
    guard let stop, now - stop.since > timeout else { return [] }
    var news: [CoordinatorAction] = []
    if !stop.isCheckpointSettled {
      self.stop?.isCheckpointSettled = true
      let message = "no last checkpoint was complete within \(seconds(timeout))"
      news = [.report(.checkpointFailed(message: message))]
    }
    news += giveUpSaving()
    return news + endIfStopped()
  }

  private mutating func endIfStopped() -> [CoordinatorAction] {
    guard let stop, stop.isCheckpointSettled else { return [] }
    if case .saving = phase { return [] }
    return end(.interrupted(reason: stop.reason))
  }
}
