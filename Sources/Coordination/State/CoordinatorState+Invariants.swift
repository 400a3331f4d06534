import Messages

extension CoordinatorState {
  /// What must hold after every event; each broken rule is one sentence. Empty when all is well.
  ///
  /// - Parameter earlier: the state before, of the same start of the coordinator or the one before
  ///   it, whose records this one has.
  /// - Complexity: linear in the members and the units of the phase; meant for tests and
  ///   simulations.
  public func brokenInvariants(after earlier: CoordinatorState? = nil) -> [String] {
    var broken: [String] = []
    func require(_ condition: Bool, _ rule: String) {
      if !condition { broken.append(rule) }
    }
    requireMembership(require)
    if let work { requireWork(work, require) }
    requireCheckpoints(require)
    requireProgress(require)
    if let earlier { requireAdvance(over: earlier, require) }
    return broken
  }

  private func requireMembership(_ require: (Bool, String) -> Void) {
    let all = membership.all
    require(Set(all).count == all.count, "a node has one rank")
    require(Set(all) == Set(membership.members.keys), "exactly the members have ranks")
    require(membership.workers.count <= Membership.workerLimit, "no more workers than the limit")
    require(membership.servers.count <= Int(plan.serverCount), "no more servers than planned")
    for nodes in [membership.workers, membership.servers] {
      let ranks = nodes.compactMap { membership[$0]?.rank }
      require(zip(ranks, ranks.dropFirst()).allSatisfy(<), "nodes are listed by rank")
    }
    let names = membership.members.values.map(\.hello.name).filter { !$0.isEmpty }
    require(Set(names).count == names.count, "no two members go by the same name")
    if case .forming(let forming) = phase, forming.stage != .settingUp {
      require(
        membership.members.values.allSatisfy { !$0.isReady },
        "nobody is ready before it is known what the generation begins with")
    }
    if case .forming(let forming) = phase, forming.stage != .findingCheckpoint {
      require(forming.searchAgainAt == nil, "no checkpoint is looked for that is not needed")
    }
  }

  private func requireWork(_ work: PhaseWork, _ require: (Bool, String) -> Void) {
    require(membership.areServersReady, "work needs all servers")
    require(!work.isDone, "a phase whose tasks are all done is over")
    let leased = work.outstanding.values.flatMap(\.units)
    let owed = leased + work.waiting.joined()
    require(
      owed.count + work.doneUnitCount == Int(work.unitCount),
      "every unit is owed or done, and none twice")
    require(Set(owed).count == owed.count, "a unit is leased to one worker or waits")
    let reported = work.reports.map(\.unit)
    require(Set(reported).isDisjoint(with: owed), "no unit is both owed and reported")
    require(Set(reported).count == reported.count, "no unit is reported twice")
    let ids = work.outstanding.values.map(\.task.id)
    require(ids.allSatisfy { $0 < nextTaskID }, "task ids are never reused")
    require(Set(ids).count == ids.count, "a task is one worker's")
    let ready = membership.readyWorkers
    for (node, assignment) in work.outstanding {
      require(node == assignment.node, "a task is the worker's that has it")
      require(ready.contains(node), "only workers that are ready have tasks")
      require(assignment.task.generation == generation, "tasks are of the generation")
    }
    let isIdle = ready.contains { work.outstanding[$0] == nil }
    require(
      work.waiting.isEmpty || (!isTraining && !isIdle) || ready.isEmpty,
      "nothing waits while a worker could do it")
    require(ready.isEmpty == (workerlessSince != nil), "work without workers is noticed")
  }

  private func requireCheckpoints(_ require: (Bool, String) -> Void) {
    require(checkpoints.count <= PendingCheckpoints.limit, "few checkpoints are pending")
    require(
      checkpoints.written.values.allSatisfy { $0 <= plan.lastVersion },
      "nobody has written a version that the run does not have")
    guard let commit = checkpoints.committing?.commit else { return }
    require(
      !commit.shards.contains { checkpoints.discarded.contains($0) },
      "no file of a checkpoint that is committed is to be deleted")
    require(
      commit.shards.map(\.rank) == Array(0..<plan.serverCount),
      "a checkpoint that is committed has the rows of every server")
    require(
      commit.shards.allSatisfy {
        $0.version == commit.version && $0.generation == commit.generation
      }, "all rows of a checkpoint are of its version and generation")
    require(commit.generation <= generation, "no checkpoint is of a generation to come")
  }

  private func requireProgress(_ require: (Bool, String) -> Void) {
    require(epochsFinished <= plan.epochs, "no more epochs than planned")
    require(
      epoch <= epochsFinished, "the epoch at hand is recorded, or the first one that is not")
    require(
      (lastEvaluatedEpoch ?? 0) <= epochsFinished, "what is evaluated was trained before")
    require(
      selection.nonImprovingCount <= plan.selection.patience + 1,
      "the run stops when patience is exceeded")
    require(
      (selection.best?.epoch ?? 0) <= epochsFinished, "the best epoch is not in the future")
    if case .saving = phase {
      require(selection.best?.epoch == epoch, "what is saved is the best epoch")
      require(membership.areServersReady, "saving needs all servers")
    }
    if case .forming = phase { require(stop == nil, "a cluster that forms stops at once") }
    if case .resting = phase { require(stop != nil, "only a stop lets the cluster rest") }
  }

  private func requireAdvance(
    over earlier: CoordinatorState, _ require: (Bool, String) -> Void
  ) {
    require(plan.term >= earlier.plan.term, "the term never goes down")
    require(generation >= earlier.generation, "the generation never goes down")
    require(nextTaskID >= earlier.nextTaskID, "task ids never go down")
    require(
      epochsFinished >= earlier.epochsFinished, "the number of finished epochs never goes down")
    require(
      (lastEvaluatedEpoch ?? 0) >= (earlier.lastEvaluatedEpoch ?? 0),
      "the last evaluated epoch never goes down")
    guard generation == earlier.generation, plan.term == earlier.plan.term else { return }
    for (node, member) in membership.members {
      require(
        member.version >= earlier.membership[node]?.version ?? 0 || !member.isReady,
        "versions never go down within a generation")
    }
  }
}
