import Messages

extension CoordinatorState {
  /// Gives a node up. What it has to do goes to others; a server takes its tables with it.
  mutating func lose(_ node: NodeID, how: String, at now: Double) -> [CoordinatorAction] {
    guard let member = membership[node] else { return ignore() }
    membership.leave(node)
    let news = CoordinatorAction.report(
      .nodeLost(role: member.role, rank: member.rank, host: member.hello.host, how: how))
    switch member.role {
    case .server: return [news] + handleServerLoss(at: now)
    case .worker:
      lastLostWorker = (
        member.rank, "worker \(member.rank) on \(member.hello.host) was lost: \(how)"
      )
      work?.release(node)
      return [news] + handOut(at: now) + beginIfFormed(at: now)
    }
  }

  private mutating func handleServerLoss(at now: Double) -> [CoordinatorAction] {
    switch phase {
    case .forming(let forming):
      // Of a generation that no server was told of, another can have the rank. Else there could be
      // two of one generation and rank, if this one is not dead, and a coordinator that is started
      // again could adopt the wrong one.
      return forming.stage == .settingUp ? recover(at: now) : []
    case .training, .materializing, .ranking, .saving, .resting:
      // There is nothing left to write a last checkpoint of.
      if let stop { return end(.interrupted(reason: stop.reason)) }
      return recover(at: now)
    case .ended: return []
    }
  }

  /// The tables go back, under a new generation.
  mutating func recover(at now: Double) -> [CoordinatorAction] {
    var since: Double? = now
    if case .forming(let forming) = phase { since = forming.since }
    var cancellation: [CoordinatorAction] = []
    if case .saving = phase { cancellation = [.cancelSave] }
    generation += 1
    materializedEpoch = nil
    membership.beginGeneration()
    checkpoints.beginGeneration()
    checkpointSilence.end()
    workerlessSince = nil
    phase = .forming(Forming(stage: .findingCheckpoint, since: since))
    let actions = [record(.generationRaised)] + cancellation
    guard plan.checkpoints != nil else { return actions + restart(from: nil) }
    return actions + [.findCheckpoint]
  }

  mutating func handleCheckpointFound(
    _ checkpoint: RestoredCheckpoint?, at now: Double
  ) -> [CoordinatorAction] {
    guard isFindingCheckpoint else { return ignore() }
    if let checkpoint, checkpoint.version == 0 || checkpoint.version > latestPossibleVersion {
      return end(.failed(impossible(checkpoint)))
    }
    return restart(from: checkpoint)
  }

  mutating func restart(from checkpoint: RestoredCheckpoint?) -> [CoordinatorAction] {
    guard case .forming(let forming) = phase else { return [] }
    phase = .forming(Forming(stage: .settingUp, since: forming.since))
    origin = checkpoint.map { .checkpoint($0) } ?? .initialValues
    checkpoints.noteNewest(checkpoint?.version)
    return [.report(.recovering(generation: generation, version: origin.version))]
      + membership.all.flatMap { welcome($0) }
  }

  /// Takes the run up where its tables are.
  ///
  /// Between two epochs that is the end of the one before: its evaluation, or its best model, may
  /// be missing. (If its training is not recorded either, the servers have its sums still.)
  mutating func goOn(from version: UInt64, at now: Double) -> [CoordinatorAction] {
    let (reached, offset) = version.quotientAndRemainder(dividingBy: plan.versionsPerEpoch)
    let epochOfVersion = UInt32(clamping: reached)
    guard offset == 0, epochOfVersion > 0 else { return beginTraining(epochOfVersion, at: now) }
    epoch = epochOfVersion - 1
    return epoch < epochsFinished ? concludeEpoch(at: now) : beginTraining(epoch, at: now)
  }

  /// Tables beyond it would be of an epoch that was begun before the one before it was recorded.
  var latestPossibleVersion: UInt64 {
    plan.firstVersion(ofEpoch: min(epochsFinished + 1, plan.epochs))
  }

  private func impossible(_ checkpoint: RestoredCheckpoint) -> RunFailure {
    RunFailure(
      kind: .wrongAnswer,
      message: "The newest checkpoint '\(checkpoint.manifest)' is of version "
        + "\(checkpoint.version), and by the records of run '\(plan.runID)', with "
        + "\(epochsFinished) epochs finished, there can be versions up to "
        + "\(latestPossibleVersion) only; put the run directory back as it was, or move the "
        + "checkpoint away.")
  }
}
