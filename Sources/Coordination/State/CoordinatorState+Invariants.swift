import Messages

extension CoordinatorState {
  /// What must hold after every event; each broken rule is one sentence. Empty when all is well.
  ///
  /// - Complexity: linear in the members and the units of the phase; meant for tests and
  ///   simulations.
  public func brokenInvariants() -> [String] {
    var broken: [String] = []
    func require(_ condition: Bool, _ rule: String) {
      if !condition { broken.append(rule) }
    }
    requireMembership(require)
    if let work { requireWork(work, require) }
    requireProgress(require)
    return broken
  }

  private func requireMembership(_ require: (Bool, String) -> Void) {
    let all = membership.all
    require(Set(all).count == all.count, "a node has one rank")
    require(Set(all) == Set(membership.members.keys), "exactly the members have ranks")
    require(membership.workers.count <= Int(plan.workerCount), "no more workers than planned")
    require(membership.servers.count <= Int(plan.serverCount), "no more servers than planned")
    for nodes in [membership.workers, membership.servers] {
      let ranks = nodes.compactMap { membership[$0]?.rank }
      require(zip(ranks, ranks.dropFirst()).allSatisfy(<), "nodes are listed by rank")
    }
  }

  private func requireWork(_ work: PhaseWork, _ require: (Bool, String) -> Void) {
    require(membership.areAllReady, "only a complete cluster works")
    require(!work.isDone, "a phase whose tasks are all done is over")
    let owed = (work.assignments + work.waiting.values.joined()).flatMap(\.units)
    require(
      owed.count + work.doneUnitCount == Int(work.unitCount),
      "every unit is owed or done, and none twice")
    require(Set(owed).count == owed.count, "no unit is owed twice")
    let reported = work.reports.map(\.unit)
    require(Set(reported).isDisjoint(with: owed), "no unit is both owed and reported")
    require(Set(reported).count == reported.count, "no unit is reported twice")
    require(work.outstanding.keys.allSatisfy { $0 < nextTaskID }, "task ids are never reused")
    let busy = work.assignments.map(\.node)
    require(Set(busy).count == busy.count, "a worker has one task at a time")
    for assignment in work.assignments {
      require(membership.workers.contains(assignment.node), "only workers have tasks")
    }
  }

  private func requireProgress(_ require: (Bool, String) -> Void) {
    require(epochsFinished <= plan.epochs, "no more epochs than planned")
    require(
      epochsFinished == epoch || epochsFinished == epoch + 1,
      "the epoch at hand is the last finished one or the one after it")
    require(
      selection.nonImprovingCount <= plan.selection.patience + 1,
      "the run stops when patience is exceeded")
    require(
      (selection.best?.epoch ?? 0) <= epoch, "the best epoch is not in the future")
    if case .saving = phase {
      require(selection.best?.epoch == epoch, "what is saved is the best epoch")
    } else {
      require(pendingStopReason == nil || isEnded, "a stop waits only for a model being written")
    }
  }
}
