import Protocol

/// What the coordinator knows of its run at one time, for those who watch it.
package struct RunSnapshot: Sendable, Equatable {
  package enum Phase: String, Sendable, CaseIterable {
    case forming
    case training
    case evaluating
    case saving
    /// Waits for outstanding messages and a last checkpoint.
    case draining
    case ended
  }

  package var phase: Phase
  /// Of a run that has ended; nil before.
  package var status: RunStatus?
  package var epoch: UInt32
  package var generation: UInt64
  package var term: UInt64
  /// By rank, servers before workers.
  package var members: [MemberStatus]
  /// Messages that did not fit.
  package var ignoredMessages: Int
  /// The newest version of the generation that is on the disk.
  package var checkpointVersion: UInt64?

  package init(
    phase: Phase, status: RunStatus? = nil, epoch: UInt32, generation: UInt64, term: UInt64,
    members: [MemberStatus], ignoredMessages: Int, checkpointVersion: UInt64? = nil
  ) {
    self.phase = phase
    self.status = status
    self.epoch = epoch
    self.generation = generation
    self.term = term
    self.members = members
    self.ignoredMessages = ignoredMessages
    self.checkpointVersion = checkpointVersion
  }
}

extension CoordinatorState {
  package var snapshot: RunSnapshot {
    var status: RunStatus?
    let name: RunSnapshot.Phase
    switch phase {
    case .forming: name = .forming
    case .training: name = .training
    case .evaluating: name = .evaluating
    case .saving: name = .saving
    case .draining: name = .draining
    case .ended(let outcome): (name, status) = (.ended, outcome.status)
    }
    return RunSnapshot(
      phase: name, status: status, epoch: run.epoch, generation: generation,
      term: plan.term, members: memberStatuses, ignoredMessages: ignoredMessageCount,
      checkpointVersion: run.checkpoints.newest)
  }

  private var memberStatuses: [MemberStatus] {
    run.members.all.compactMap { node in
      guard let member = run.members[node] else { return nil }
      let units = phase.tasks?.leases.outstanding[node]?.units.count ?? 0
      let isWorking = member.role == .server || units > 0
      return MemberStatus(
        incarnation: node, role: member.role, rank: member.rank, name: member.hello.name,
        host: member.hello.host, processID: member.hello.processID,
        activity: !member.isReady ? .preparing : isWorking ? .working : .idle,
        silence: max(0, listening.seconds - member.lastSeen), taskProgress: member.taskProgress,
        unitCount: units, version: member.version, usage: member.usage)
    }
  }
}
