import Protocol

/// What comes after what: from one phase to the next, to a rollback, a stop, the end.
extension CoordinatorState {
  /// Carries out what a phase has decided.
  mutating func take(_ step: Step, at now: Double) -> [CoordinatorAction] {
    switch step.transition {
    case nil: step.actions
    case .begin(let seconds): step.actions + begin(formedIn: seconds, at: now)
    case .concludeEpoch: step.actions + concludeEpoch(at: now)
    case .rank(let start): step.actions + beginRanking(materializingSince: start, at: now)
    case .end(let ending): step.actions + end(ending)
    }
  }

  // MARK: Beginning, resuming

  private mutating func begin(formedIn seconds: Double?, at now: Double) -> [CoordinatorAction] {
    let isResuming = run.history.hasBegun || run.history.isResumed || generation > 1
    run.history.noteBeginning()
    let version = run.members.lowestVersion
    let record = run.record(.clusterFormed)
    let work = resume(at: version, at: now)
    var news = seconds.map { formationNews(seconds: $0) } ?? []
    if isResuming {
      news.append(.resumed(epoch: run.epoch, version: version, from: run.tables.origin))
    }
    // A server may have come with an empty disk.
    let copies = isResuming && plan.checkpoints?.isCopied == true
    return news.map { .report($0) } + [record] + (copies ? [.copyRecords] : []) + work
  }

  private func formationNews(seconds: Double) -> [RunEvent] {
    let workers = UInt32(run.members.readyWorkers.count)
    let formed = RunEvent.clusterFormed(
      workers: workers, servers: plan.serverCount, seconds: seconds)
    guard workers > plan.shardCount else { return [formed] }
    return [
      formed, .idleWorkers(count: workers - plan.shardCount, shardCount: plan.shardCount),
    ]
  }

  /// Resumes where the tables are.
  ///
  /// Between two epochs that is the end of the one before: its evaluation, or its best model, may
  /// be missing. If even its training is not recorded, it is trained from its last version on, that
  /// is, only its sums are fetched: the servers still have them.
  private mutating func resume(at version: UInt64, at now: Double) -> [CoordinatorAction] {
    let (reached, offset) = version.quotientAndRemainder(dividingBy: plan.versionsPerEpoch)
    let next = UInt32(clamping: reached)
    guard offset == 0, next > 0 else { return beginTraining(next, at: now) }
    run.epoch = next - 1
    return run.epoch < run.history.epochsFinished
      ? concludeEpoch(at: now) : beginTraining(run.epoch, at: now)
  }

  /// The tables are rolled back, from a phase in which the run had begun.
  mutating func rollBack(at now: Double) -> [CoordinatorAction] {
    var abandoning: [CoordinatorAction] = []
    if case .saving = phase { abandoning = [.cancelSave] }
    let (forming, actions) = Forming.rollBack(abandoning: abandoning, in: &run, at: now)
    phase = .forming(forming)
    return actions
  }

  // MARK: From phase to phase

  /// The end of an epoch, while its tables are there: does what is left to do and not recorded.
  private mutating func concludeEpoch(at now: Double) -> [CoordinatorAction] {
    let epoch = run.epoch
    let needsFinals = plan.materializeBlockCount > 0
    guard run.history.isMeasured(epoch, in: generation) else {
      return needsFinals
        ? beginMaterializing(at: now) : beginRanking(materializingSince: now, at: now)
    }
    if run.history.isBestMissing(of: epoch) {
      // A checkpoint of the end of an epoch lacks the final vectors, which are computed later.
      return needsFinals && run.tables.materializedEpoch != epoch
        ? beginMaterializing(at: now) : beginSaving(at: now)
    }
    if run.history.isExhausted(after: epoch) { return end(.earlyStopped) }
    guard epoch + 1 < plan.epochs else { return end(.completed) }
    return beginTraining(epoch + 1, at: now)
  }

  private mutating func beginTraining(_ epoch: UInt32, at now: Double) -> [CoordinatorAction] {
    if stop != nil { return drain() }
    if let pause = plan.pause, epoch >= pause {
      // No phase is under way between two epochs.
      phase = .draining
      return requestStop("epoch \(pause - 1), its last one for now, is over", at: now)
    }
    run.epoch = epoch
    let (training, actions) = Training.begin(in: &run, at: now)
    phase = .training(training)
    return actions
  }

  private mutating func beginMaterializing(at now: Double) -> [CoordinatorAction] {
    if stop != nil { return drain() }
    let (evaluation, actions) = Evaluation.materialize(in: &run, at: now)
    phase = .evaluating(evaluation)
    return actions
  }

  private mutating func beginRanking(
    materializingSince start: Double, at now: Double
  ) -> [CoordinatorAction] {
    if stop != nil { return drain() }
    let (evaluation, actions) = Evaluation.rank(materializingSince: start, in: &run, at: now)
    phase = .evaluating(evaluation)
    return actions
  }

  private mutating func beginSaving(at now: Double) -> [CoordinatorAction] {
    let (saving, actions) = Saving.begin(in: run, at: now)
    phase = .saving(saving)
    return actions
  }

  // MARK: Stopping

  /// A second request takes effect at once.
  mutating func requestStop(_ reason: String, at now: Double) -> [CoordinatorAction] {
    if case .forming = phase { return end(.interrupted(reason: reason)) }
    guard self.stop == nil else { return end(.interrupted(reason: reason)) }
    let stop = PendingStop(reason: reason, since: now, in: run)
    self.stop = stop
    return stop.isSettled ? endIfDrained() : stop.begin(in: run)
  }

  mutating func handleHeld(
    generation: UInt64, version: UInt64, from node: NodeID
  ) -> [CoordinatorAction] {
    guard generation == run.generation, let member = run.members[node], member.role == .server,
      member.isReady, version <= plan.lastVersion
    else { return run.ignore() }
    run.members.raiseVersion(to: version, of: node)
    if case .forming = phase { return run.ignore() }
    guard stop != nil else { return [run.release(node)] }
    let actions = stop?.hold(node, at: version, in: run) ?? []
    return actions + endIfDrained()
  }

  /// No further report of a checkpoint will come; a stop that waits for it need not wait longer.
  mutating func settle(_ version: UInt64) -> [CoordinatorAction] {
    stop?.settle(version)
    return endIfDrained()
  }

  /// Stops waiting for a last checkpoint and a best model that take too long. The records show that
  /// the best model is missing; a run that is resumed saves it.
  mutating func limitStop(at now: Double) -> [CoordinatorAction] {
    guard let stop, stop.isOverdue(in: run, at: now) else { return [] }
    var actions = self.stop?.giveUp(in: run) ?? []
    if case .saving = phase {
      phase = .draining
      actions += [.cancelSave, .report(.bestNotSaved(epoch: run.epoch))]
    }
    return actions + endIfDrained()
  }

  /// No work is begun any more.
  private mutating func drain() -> [CoordinatorAction] {
    phase = .draining
    return endIfDrained()
  }

  private mutating func endIfDrained() -> [CoordinatorAction] {
    guard let stop, stop.isSettled else { return [] }
    if case .saving = phase { return [] }
    return end(.interrupted(reason: stop.reason))
  }

  // MARK: The end

  /// Ends the run. Order matters: record first. Nodes do not rejoin after `finish`, so it must not
  /// be sent before the record is durable: the coordinator may die before, or find that a later
  /// start of it has taken over.
  mutating func end(_ ending: RunOutcome.Ending) -> [CoordinatorAction] {
    let outcome = RunOutcome(
      ending: ending, epochsFinished: run.history.epochsFinished, best: run.history.savedBest)
    phase = .ended(outcome)
    stop = nil
    return [run.record(.ended(message: outcome.summary), status: outcome.status)]
      + run.members.all.map { farewell(outcome, to: $0) }
      + [.report(.stopping(outcome)), .finish(outcome)]
  }

  /// The actions of an end, with the answer to the event that caused it.
  mutating func answering(
    _ event: CoordinatorEvent, within end: [CoordinatorAction]
  ) -> [CoordinatorAction] {
    end.dropLast() + answerAfterEnd(event) + end.suffix(1)
  }

  /// Late nodes, and those that missed the message, learn that the run is over.
  mutating func answerAfterEnd(_ event: CoordinatorEvent) -> [CoordinatorAction] {
    guard case .message(let message, let node) = event, case .ended(let outcome) = phase else {
      return []
    }
    switch message {
    case .hello, .heartbeat: return [farewell(outcome, to: node)]
    case .ready, .taskDone, .taskFailed, .goodbye, .held, .checkpointWritten, .checkpointFailed,
      .inspected:
      return run.ignore()
    }
  }

  private func farewell(_ outcome: RunOutcome, to node: NodeID) -> CoordinatorAction {
    .send(.finish(reason: outcome.summary, ending: outcome.nodeEnding), to: node)
  }
}
