import Protocol

extension CoordinatorState {
  /// What must hold after every event; each broken rule is one sentence. Empty when all is well.
  ///
  /// - Parameter earlier: the state before, of the same start of the coordinator or the one before
  ///   it, whose records this one has.
  /// - Complexity: linear in the members and the units of the phase; meant for tests and
  ///   simulations.
  package func brokenInvariants(after earlier: CoordinatorState? = nil) -> [String] {
    var broken: [String] = []
    func require(_ condition: Bool, _ rule: String) {
      if !condition { broken.append(rule) }
    }
    run.members.checkInvariants(require)
    run.checkpoints.checkInvariants(in: generation, require)
    run.history.checkInvariants(require)
    require(
      run.epoch <= run.history.epochsFinished,
      "the epoch at hand is recorded, or the first one that is not")
    phase.tasks?.checkInvariants(in: run, require)
    switch phase {
    case .forming(let forming):
      forming.checkInvariants(in: run, require)
      require(stop == nil, "a cluster that forms stops at once")
    case .saving(let saving): saving.checkInvariants(in: run, require)
    case .draining: require(stop != nil, "only a stop leads to draining")
    case .ended: require(stop == nil, "a run that has ended does not stop")
    case .training, .evaluating: break
    }
    if let earlier { checkAdvance(over: earlier, require) }
    return broken
  }

  private func checkAdvance(
    over earlier: CoordinatorState, _ require: (Bool, String) -> Void
  ) {
    require(plan.term >= earlier.plan.term, "the term never goes down")
    require(generation >= earlier.generation, "the generation never goes down")
    require(run.nextTaskID >= earlier.run.nextTaskID, "task ids never go down")
    run.history.checkAdvance(over: earlier.run.history, require)
    guard generation == earlier.generation, plan.term == earlier.plan.term else { return }
    for (node, member) in run.members.members {
      require(
        member.version >= earlier.run.members[node]?.version ?? 0 || !member.isReady,
        "versions never go down within a generation")
    }
  }
}
