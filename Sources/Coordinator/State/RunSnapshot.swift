import Protocol

/// What an observer may know of a run at one time.
package struct RunSnapshot: Sendable, Equatable {
  package enum Phase: String, Sendable, CaseIterable {
    case forming
    case training
    case evaluating
    case saving
    case draining
    case ended
  }

  /// A node that takes part.
  package struct Member: Sendable, Equatable {
    package var role: NodeRole
    package var rank: UInt32
    package var host: String
    /// Whether it works, for the current generation.
    package var isReady: Bool
    /// Seconds since its last message.
    package var silence: Double
    /// Of a server's tables, as far as is known; 0 for a worker.
    package var version: UInt64
    /// Steps or blocks of a worker's task under way; 0 for a server.
    package var taskProgress: UInt64
  }

  package var phase: Phase
  /// Of a run that has ended; nil before.
  package var status: RunStatus?
  package var epoch: UInt32
  package var generation: UInt64
  package var term: UInt64
  /// By rank, servers before workers.
  package var members: [Member]
  /// Messages that did not fit.
  package var ignoredMessages: Int
  /// The newest version of the generation that is on the disk.
  package var checkpointVersion: UInt64?
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
    let members = run.members.all.compactMap { run.members[$0] }.map { member in
      RunSnapshot.Member(
        role: member.role, rank: member.rank, host: member.hello.host, isReady: member.isReady,
        silence: max(0, listening.seconds - member.lastSeen), version: member.version,
        taskProgress: member.taskProgress)
    }
    return RunSnapshot(
      phase: name, status: status, epoch: run.epoch, generation: generation,
      term: plan.term, members: members, ignoredMessages: ignoredMessageCount,
      checkpointVersion: run.checkpoints.newest)
  }
}
