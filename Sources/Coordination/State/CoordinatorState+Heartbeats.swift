import Messages

extension CoordinatorState {
  mutating func handleHeartbeat(
    _ heartbeat: Heartbeat, from node: NodeID
  ) -> [CoordinatorAction] {
    let answer =
      [.send(.heartbeatSeen(generation: generation), to: node)]
      + repeatLost(heartbeat, from: node)
    let before = progress
    if membership[node]?.role == .server {
      if heartbeat.generation == generation, membership[node]?.isReady == true {
        membership.raiseVersion(to: min(heartbeat.version, plan.lastVersion), of: node)
      }
    } else if heartbeat.taskID == work?.outstanding[node]?.task.id {
      membership.setProgress(heartbeat.taskProgress, of: node)
    }
    guard let now = progress, now != before else { return answer }
    return answer + [
      .report(.progress(now.activity, epoch: epoch, done: now.done, total: now.total))
    ]
  }

  /// Sends again what the node should know and its heartbeat shows that it does not.
  private mutating func repeatLost(
    _ heartbeat: Heartbeat, from node: NodeID
  ) -> [CoordinatorAction] {
    guard let member = membership[node] else { return [] }
    if !member.isReady { return repeatSetUp(of: node, knowing: heartbeat.generation) }
    if member.role == .server { return repeatStop(to: node) }
    let given = work?.outstanding[node]?.task
    let missed = given?.id == heartbeat.taskID ? nil : given
    // The first heartbeat after a task was given may have been sent before the task came.
    let isLost = membership.note(missedTask: missed?.id ?? 0, of: node)
    if isLost, let missed { return [.send(.task(missed), to: node)] }
    return []
  }

  /// For a node that beats but has not said that it is ready. A server says so when it has its
  /// tables, a worker when it has met the servers.
  private func repeatSetUp(
    of node: NodeID, knowing generation: UInt64
  ) -> [CoordinatorAction] {
    if case .forming(let forming) = phase, forming.stage != .settingUp { return [] }
    let isWaiting =
      generation == self.generation && membership[node]?.role == .worker
      && !membership.areServersReady
    return isWaiting ? [] : welcome(node)
  }
}
