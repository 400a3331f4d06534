import Messages

extension CoordinatorState {
  /// Gives what waits to the workers that are there.
  ///
  /// - Parameter newcomer: a worker that has just come gets shards of the others.
  mutating func handOut(
    favoring newcomer: NodeID? = nil, at now: Double
  ) -> [CoordinatorAction] {
    guard var work else { return [] }
    let workers = membership.readyWorkers
    guard !workers.isEmpty else { return awaitWorkers(at: now) }
    workerlessSince = nil
    let leases =
      isTraining
      ? work.leaseShards(to: workers, favoring: newcomer) : work.leaseParts(to: workers)
    let tasks = leases.map { lease in
      let task = WorkerTask(id: nextTaskID, generation: generation, body: body(lease.units))
      nextTaskID += 1
      work.assign(lease, as: task)
      membership.setProgress(0, of: lease.node)
      return CoordinatorAction.send(.task(task), to: lease.node)
    }
    self.work = work
    return tasks
  }

  private mutating func awaitWorkers(at now: Double) -> [CoordinatorAction] {
    guard workerlessSince == nil else { return [] }
    workerlessSince = now
    return [.report(.awaitingWorkers(seconds: plan.timing.startupTimeout))]
  }

  private func body(_ units: [UInt32]) -> TaskBody {
    switch phase {
    case .materializing: .materialize(version: evaluatedVersion, epoch: epoch, blocks: units)
    case .ranking: .rank(version: evaluatedVersion, epoch: epoch, blocks: units)
    case .forming, .training, .saving, .resting, .ended:
      .train(
        epoch: epoch, firstVersion: plan.firstVersion(ofEpoch: epoch),
        startVersion: startVersion, shards: units)
    }
  }

  mutating func handleTaskDone(
    _ id: UInt64, _ reports: [UnitReport], from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard var work, let assignment = work.outstanding[node], assignment.task.id == id else {
      return ignore()
    }
    let units = reports.map(\.unit).sorted()
    // A materialize task has pushed its result; it need not report sums.
    guard units == assignment.units || (units.isEmpty && isMaterializing) else {
      let wanted = brief(assignment.units)
      return end(
        .failed(wrongAnswer(of: assignment, "units \(brief(units)) in place of \(wanted)")))
    }
    if let problem = addCounts(of: reports) {
      return end(.failed(wrongAnswer(of: assignment, problem)))
    }
    work.complete(node, reports: reports.map { UnitReport(unit: $0.unit, sums: $0.sums) })
    membership.setProgress(0, of: node)
    self.work = work
    return work.isDone ? finishPhase(at: now) : handOut(at: now)
  }

  /// Takes in what was counted.
  ///
  /// - Returns: what is wrong with the reports, to go behind "reported"; nil: nothing.
  private mutating func addCounts(of reports: [UnitReport]) -> String? {
    guard isRanking, exposureTotals != nil else {
      return reports.allSatisfy(\.counts.isEmpty) ? nil : "counts that nobody asked for"
    }
    return exposureTotals?.add(reports)
  }

  /// The worker could not do what it was given: neither could another. A failure of a task that
  /// is not the worker's any more (its generation is over, others have its units) means nothing.
  mutating func handleTaskFailed(
    _ id: UInt64, _ failure: TaskFailure, from node: NodeID
  ) -> [CoordinatorAction] {
    guard let assignment = work?.outstanding[node], assignment.task.id == id else {
      return ignore()
    }
    if failure.kind == .diverged {
      return end(.failed(RunFailure(kind: .diverged, message: failure.message)))
    }
    let name = membership[node]?.name ?? "a worker"
    return end(
      .failed(
        RunFailure(
          kind: failure.kind == .dataChanged ? .dataChanged : .taskFailed,
          message: "The run ends in epoch \(epoch) because \(name) could not "
            + "\(purpose(of: assignment.task.body)): \(failure.message)")))
  }

  private mutating func finishPhase(at now: Double) -> [CoordinatorAction] {
    switch phase {
    case .training(let work): finishTraining(work, at: now)
    case .materializing(let work): finishMaterializing(work, at: now)
    case .ranking(let work, let seconds):
      finishRanking(work, materializeSeconds: seconds, at: now)
    case .forming, .saving, .resting, .ended: []
    }
  }

  var isTraining: Bool {
    if case .training = phase { true } else { false }
  }

  var isMaterializing: Bool {
    if case .materializing = phase { true } else { false }
  }

  private var isRanking: Bool {
    if case .ranking = phase { true } else { false }
  }

  private func purpose(of body: TaskBody) -> String {
    switch body {
    case .train(_, _, _, let shards): "train shards \(shards)"
    case .materialize(_, _, let blocks): "compute \(blocks.count) blocks of the final matrices"
    case .rank(_, _, let blocks): "rank \(blocks.count) blocks of users"
    }
  }

  private func wrongAnswer(
    of assignment: PhaseWork.Assignment, _ found: String
  ) -> RunFailure {
    let name = membership[assignment.node]?.name ?? "a worker"
    return RunFailure(
      kind: .wrongAnswer,
      message: "The run ends in epoch \(epoch) because \(name) was to "
        + "\(purpose(of: assignment.task.body)), and reported \(found); run the same version of "
        + "the program on all nodes.")
  }

  private func brief(_ units: [UInt32]) -> String {
    if units.count <= 8 { return "\(units)" }
    return "[\(units.prefix(8).map(String.init).joined(separator: ", ")), …]"
  }
}
