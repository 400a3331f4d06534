import Protocol

/// The tasks of a phase: sends them to the workers that are ready, takes in their reports, and
/// notices when there is no worker.
struct TaskDispatch: Sendable, Equatable {
  /// Decides the body of a task and how units are leased: shards may move from one worker to
  /// another, blocks are done one part after the other.
  private let activity: RunEvent.Activity
  /// The first unit in tasks and reports; leases count from 0.
  private let firstUnit: UInt32
  private(set) var leases: TaskLeases
  /// Counts that reports must have; nil: none.
  private(set) var exposure: ExposureTotals?
  /// Since when there is no worker that is ready; nil while there is one.
  private(set) var workerlessSince: Double?

  /// - Parameters:
  ///   - firstUnit: the units are `unitCount` from this one on.
  ///   - unitsPerTask: how many blocks one task has at most.
  ///   - exposure: what is to be counted besides the sums.
  init(
    _ activity: RunEvent.Activity, firstUnit: UInt32 = 0, unitCount: UInt32,
    unitsPerTask: Int = .max,
    exposure: ExposureTotals? = nil, in run: RunContext, at now: Double
  ) {
    self.activity = activity
    self.firstUnit = firstUnit
    self.exposure = exposure
    leases = TaskLeases(
      unitCount: unitCount, unitsPerTask: unitsPerTask,
      workerCount: run.members.readyWorkers.count, at: now)
  }

  // MARK: Handing out

  /// Sends the units that wait to the workers that are ready.
  ///
  /// - Parameter newcomer: a worker that is ready since now; it gets shards of the others.
  mutating func handOut(
    favoring newcomer: NodeID? = nil, in run: inout RunContext, at now: Double
  ) -> [CoordinatorAction] {
    let workers = run.members.readyWorkers
    guard !workers.isEmpty else { return awaitWorkers(in: run, at: now) }
    workerlessSince = nil
    let shares =
      activity == .train
      ? leases.leaseShards(to: workers, favoring: newcomer) : leases.leaseParts(to: workers)
    return shares.map { lease in
      let task = WorkerTask(
        id: run.takeTaskID(), generation: run.generation, body: body(lease.units, in: run))
      leases.assign(lease, as: task)
      run.members.setProgress(0, of: lease.node)
      return .send(.task(task), to: lease.node)
    }
  }

  private func body(_ units: [UInt32], in run: RunContext) -> TaskBody {
    switch activity {
    case .train:
      .train(
        epoch: run.epoch, firstVersion: run.plan.firstVersion(ofEpoch: run.epoch),
        startVersion: run.startVersion, shards: units)
    case .materialize:
      .materialize(
        version: run.evaluatedVersion, epoch: run.epoch, blocks: units.map { firstUnit + $0 })
    case .rank: .rank(version: run.evaluatedVersion, epoch: run.epoch, blocks: units)
    }
  }

  private mutating func awaitWorkers(
    in run: RunContext, at now: Double
  ) -> [CoordinatorAction] {
    guard workerlessSince == nil else { return [] }
    workerlessSince = now
    return [.report(.awaitingWorkers(seconds: run.plan.timing.startupTimeout))]
  }

  /// A worker is lost: its units go to the others.
  mutating func release(
    _ node: NodeID, in run: inout RunContext, at now: Double
  ) -> [CoordinatorAction] {
    leases.release(node)
    return handOut(in: &run, at: now)
  }

  /// Ends a run that has had no worker for too long.
  func limitWorkerless(in run: RunContext, at now: Double) -> Step {
    let timeout = run.plan.timing.startupTimeout
    guard let workerlessSince, now - workerlessSince > timeout else { return Step() }
    return .end(
      RunFailure(
        kind: .peerLost,
        message: "The run ends in epoch \(run.epoch) because there was no worker for "
          + "\(timeout.inSeconds)\(run.members.lastLoss); see the workers' logs, and start the run "
          + "again."))
  }

  // MARK: Answers

  /// The task that a worker has.
  func task(of node: NodeID) -> WorkerTask? { leases.outstanding[node]?.task }

  /// A worker has done its task.
  ///
  /// - Returns: nil if that was the last one; the phase then decides what comes next.
  mutating func taskDone(
    _ id: UInt64, _ reports: [UnitReport], from node: NodeID, in run: inout RunContext,
    at now: Double
  ) -> Step? {
    guard let assignment = leases.outstanding[node], assignment.task.id == id else {
      return Step(actions: run.ignore())
    }
    if let problem = check(reports, of: assignment) ?? count(reports) {
      return .end(wrongAnswer(of: assignment, problem, in: run))
    }
    leases.complete(
      node, reports: reports.map { UnitReport(unit: $0.unit &- firstUnit, sums: $0.sums) })
    run.members.setProgress(0, of: node)
    return leases.isDone ? nil : Step(actions: handOut(in: &run, at: now))
  }

  /// - Returns: the problem of the reports' units, to follow "reported"; nil if there is none.
  private func check(
    _ reports: [UnitReport], of assignment: TaskLeases.Assignment
  ) -> String? {
    let units = reports.map { $0.unit &- firstUnit }.sorted()
    // A materialize task has pushed its result to the servers; it need not report sums.
    if units == assignment.units || (units.isEmpty && activity == .materialize) { return nil }
    return "units \(brief(units)) in place of \(brief(assignment.units))"
  }

  /// Adds the counts of reports.
  ///
  /// - Returns: their problem, to follow "reported"; nil if there is none.
  private mutating func count(_ reports: [UnitReport]) -> String? {
    guard exposure != nil else {
      return reports.allSatisfy(\.counts.isEmpty) ? nil : "counts that were not requested"
    }
    return exposure?.add(reports)
  }

  /// A worker could not do its task. Another could not either, so that the run ends. The failure
  /// of a task that the worker does not have any more means nothing.
  func taskFailed(
    _ id: UInt64, _ failure: TaskFailure, from node: NodeID, in run: inout RunContext
  ) -> Step {
    guard let assignment = leases.outstanding[node], assignment.task.id == id else {
      return Step(actions: run.ignore())
    }
    if failure.kind == .diverged {
      return .end(RunFailure(kind: .diverged, message: failure.message))
    }
    let name = run.members[node]?.name ?? "a worker"
    return .end(
      RunFailure(
        kind: failure.kind == .dataChanged ? .dataChanged : .taskFailed,
        message: "The run ends in epoch \(run.epoch) because \(name) could not "
          + "\(purpose(of: assignment.task.body)): \(failure.message)"))
  }

  private func wrongAnswer(
    of assignment: TaskLeases.Assignment, _ found: String, in run: RunContext
  ) -> RunFailure {
    let name = run.members[assignment.node]?.name ?? "a worker"
    return RunFailure(
      kind: .wrongAnswer,
      message: "The run ends in epoch \(run.epoch) because \(name) was to "
        + "\(purpose(of: assignment.task.body)) but reported \(found); run the same version of "
        + "the program on all nodes.")
  }

  private func purpose(of body: TaskBody) -> String {
    switch body {
    case .train(_, _, _, let shards): "train shards \(shards)"
    case .materialize(_, _, let blocks): "compute \(blocks.count) blocks of the final matrices"
    case .rank(_, _, let blocks): "rank \(blocks.count) blocks of users"
    }
  }

  private func brief(_ units: [UInt32]) -> String {
    if units.count <= 8 { return "\(units)" }
    return "[\(units.prefix(8).map(String.init).joined(separator: ", ")), …]"
  }

  // MARK: Progress

  /// In training the steps that all servers have made; in an evaluation the blocks that all
  /// workers have done.
  func progress(in run: RunContext) -> Progress {
    guard activity != .train else {
      let versions = run.startVersion - run.plan.firstVersion(ofEpoch: run.epoch)
      return Progress(
        activity: .train, done: versions / UInt64(run.plan.roundsPerStep),
        total: UInt64(run.plan.stepsPerEpoch))
    }
    let underWay = leases.outstanding.values.reduce(UInt64(0)) { sum, task in
      sum + min(run.members[task.node]?.taskProgress ?? 0, UInt64(task.units.count))
    }
    let total =
      activity == .materialize ? run.plan.materializeBlockCount : leases.unitCount
    return Progress(
      activity: activity, done: UInt64(firstUnit) + UInt64(leases.doneUnitCount) + underWay,
      total: UInt64(total))
  }

  /// What the run waits for.
  func wait(in run: RunContext) -> Wait? {
    if let workerlessSince {
      let absent = Members.absence("worker", of: 1, here: run.members.workers.count)
      return Wait(
        what: absent ?? "a worker to be ready", since: workerlessSince,
        limit: run.plan.timing.startupTimeout)
    }
    let progress = progress(in: run)
    let work =
      switch activity {
      case .train: "training"
      case .materialize: "final matrices"
      case .rank: "ranking"
      }
    return Wait(
      what: "the \(work) of epoch \(run.epoch) to get beyond \(progress.done) of "
        + "\(progress.total)",
      since: nil, limit: nil)
  }

  // MARK: Invariants

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(in run: RunContext, _ require: (Bool, String) -> Void) {
    leases.checkInvariants(require)
    require(run.members.areServersReady, "work needs all servers")
    let ready = run.members.readyWorkers
    for (node, assignment) in leases.outstanding {
      require(assignment.task.id < run.nextTaskID, "task ids are never reused")
      require(ready.contains(node), "only workers that are ready have tasks")
      require(assignment.task.generation == run.generation, "tasks are of the generation")
    }
    let isIdle = ready.contains { leases.outstanding[$0] == nil }
    require(
      leases.waiting.isEmpty || (activity != .train && !isIdle) || ready.isEmpty,
      "no unit waits while a worker could do it")
    require(ready.isEmpty == (workerlessSince != nil), "work without workers is noticed")
  }
}
