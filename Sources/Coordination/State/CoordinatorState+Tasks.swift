import Messages

extension CoordinatorState {
  mutating func handleTaskDone(
    _ id: UInt64, _ reports: [UnitReport], from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard var work, let assignment = work.outstanding[id], assignment.node == node else {
      return ignore()
    }
    let units = reports.map(\.unit).sorted()
    // A materialize task has pushed its result; it need not report sums.
    guard units == assignment.units || (units.isEmpty && isMaterializing) else {
      return end(.failed(wrongReports(units, of: assignment)))
    }
    let next = work.complete(id, reports: reports)
    membership.setProgress(0, of: node)
    switch phase {
    case .training: phase = .training(work)
    case .materializing: phase = .materializing(work)
    case .ranking(_, let seconds): phase = .ranking(work, materializeSeconds: seconds)
    case .forming, .saving, .ended: break
    }
    if let next { return [.send(.task(next.task), to: node)] }
    return work.isDone ? finishPhase(at: now) : []
  }

  mutating func handleTaskFailed(
    _ id: UInt64, _ failure: TaskFailure, from node: NodeID
  ) -> [CoordinatorAction] {
    guard let assignment = work?.outstanding[id], assignment.node == node else { return ignore() }
    if failure.kind == .diverged {
      return end(.failed(RunFailure(kind: .diverged, message: failure.message)))
    }
    let name = membership[node]?.name ?? "a worker"
    return end(
      .failed(
        RunFailure(
          kind: .taskFailed,
          message: "The run ends in epoch \(epoch) because \(name) could not "
            + "\(purpose(of: assignment.task.body)): \(failure.message)")))
  }

  mutating func handleHeartbeat(
    _ heartbeat: Heartbeat, from node: NodeID
  ) -> [CoordinatorAction] {
    let answer =
      [.send(.heartbeatSeen(generation: plan.generation), to: node)]
      + repeatLost(heartbeat, from: node)
    let before = slowestProgress
    if heartbeat.taskID == work?.assignment(of: node)?.task.id {
      membership.setProgress(heartbeat.taskProgress, of: node)
    }
    guard let now = slowestProgress, now != before else { return answer }
    return answer + [
      .report(.progress(now.activity, epoch: epoch, done: now.done, total: now.total))
    ]
  }

  /// Sends again what the node should know and its heartbeat shows that it does not.
  private mutating func repeatLost(
    _ heartbeat: Heartbeat, from node: NodeID
  ) -> [CoordinatorAction] {
    if membership[node]?.isReady == false { return repeatSetUp(of: node) }
    let given = work?.assignment(of: node)?.task
    let missed = given?.id == heartbeat.taskID ? nil : given
    // The first heartbeat after a task was given may have been sent before the task came.
    let isLost = membership.note(missedTask: missed?.id ?? 0, of: node)
    if isLost, let missed { return [.send(.task(missed), to: node)] }
    return []
  }

  private mutating func finishPhase(at now: Double) -> [CoordinatorAction] {
    switch phase {
    case .training(let work): finishTraining(work, at: now)
    case .materializing(let work): beginRanking(materializingSince: work.startedAt, at: now)
    case .ranking(let work, let seconds):
      finishRanking(work, materializeSeconds: seconds, at: now)
    case .forming, .saving, .ended: []
    }
  }

  private var isMaterializing: Bool {
    if case .materializing = phase { true } else { false }
  }

  private struct Progress: Equatable {
    var activity: RunEvent.Activity
    var done: UInt64
    var total: UInt64
  }

  /// How far the worker is that has the smallest part of its task done. In training everybody does
  /// all steps; in an evaluation everybody does its own blocks, which are counted together.
  private var slowestProgress: Progress? {
    guard let work else { return nil }
    let tasks = work.assignments
    switch phase {
    case .training:
      let total = UInt64(plan.stepsPerEpoch)
      let done = tasks.map { membership[$0.node]?.taskProgress ?? 0 }.min() ?? total
      return Progress(activity: .train, done: min(done, total), total: total)
    case .materializing, .ranking:
      let underWay = tasks.reduce(UInt64(0)) { sum, task in
        sum + min(membership[task.node]?.taskProgress ?? 0, UInt64(task.units.count))
      }
      return Progress(
        activity: isMaterializing ? .materialize : .rank,
        done: UInt64(work.doneUnitCount) + underWay, total: UInt64(work.unitCount))
    case .forming, .saving, .ended: return nil
    }
  }

  private func purpose(of body: TaskBody) -> String {
    switch body {
    case .train(_, _, let shards): "train shards \(shards)"
    case .materialize(_, _, let blocks): "compute \(blocks.count) blocks of the final matrices"
    case .rank(_, _, let blocks): "rank \(blocks.count) blocks of users"
    }
  }

  private func wrongReports(
    _ units: [UInt32], of assignment: PhaseWork.Assignment
  ) -> RunFailure {
    let name = membership[assignment.node]?.name ?? "a worker"
    return RunFailure(
      kind: .wrongAnswer,
      message: "The run ends in epoch \(epoch) because \(name) was to "
        + "\(purpose(of: assignment.task.body)), that is units \(brief(assignment.units)), and "
        + "reported units \(brief(units)); run the same version of the program on all nodes.")
  }

  private func brief(_ units: [UInt32]) -> String {
    if units.count <= 8 { return "\(units)" }
    return "[\(units.prefix(8).map(String.init).joined(separator: ", ")), …]"
  }
}
