import Messages

extension CoordinatorState {
  /// Ends the run: everybody is told, the store knows, people know.
  mutating func end(_ ending: RunOutcome.Ending) -> [CoordinatorAction] {
    let outcome = RunOutcome(ending: ending, epochsFinished: epochsFinished, best: savedBest)
    phase = .ended(outcome)
    return membership.all.map { farewell(outcome, to: $0) } + [
      record(.ended(message: outcome.summary)), .report(.stopping(outcome)), .finish(outcome),
    ]
  }

  /// A stop takes effect at once, except that a best model that is being written is written first.
  mutating func handleStop(_ reason: String) -> [CoordinatorAction] {
    if case .saving = phase {
      pendingStopReason = reason
      return []
    }
    return end(.interrupted(reason: reason))
  }

  mutating func handleLoss(
    of node: NodeID, at now: Double, how: String
  ) -> [CoordinatorAction] {
    guard let member = membership[node] else { return ignore() }
    let silence = seconds(now - member.lastSeen)
    return end(
      .failed(
        RunFailure(
          kind: .peerLost,
          message: "The run ends in epoch \(epoch) because \(member.name) is lost: \(how), last "
            + "seen \(silence) ago; look at its log and start the run again.")))
  }

  /// A node leaves of its own accord. While the cluster forms another can take its place, unless
  /// it is a server that workers were already told of.
  mutating func handleGoodbye(
    _ reason: String, from node: NodeID, at now: Double
  ) -> [CoordinatorAction] {
    guard case .forming = phase, let member = membership[node],
      member.hello.role == .worker || !membership.areServersReady
    else { return handleLoss(of: node, at: now, how: "it left: \(reason)") }
    membership.leave(node)
    return [
      .report(
        .nodeLeft(
          role: member.hello.role, rank: member.rank, host: member.hello.host, reason: reason))
    ]
  }

  /// A node said something that cannot be read. It would say it again for ever.
  mutating func handleUndecodable(_ message: String, from node: NodeID) -> [CoordinatorAction] {
    guard let member = membership[node] else { return ignore() }
    return end(
      .failed(
        RunFailure(
          kind: .wrongAnswer,
          message: "The run ends in epoch \(epoch) because what \(member.name) says cannot be "
            + "read: \(message); run the same version of the program on all nodes.")))
  }

  mutating func checkTimeouts(at now: Double) -> [CoordinatorAction] {
    let timing = plan.timing
    if let node = membership.silent(for: timing.heartbeatTimeout, at: now) {
      return handleLoss(
        of: node, at: now, how: "no sign of life within \(seconds(timing.heartbeatTimeout))")
    }
    guard case .forming = phase, let startedAt, now - startedAt > timing.startupTimeout else {
      return []
    }
    return end(
      .failed(
        RunFailure(
          kind: .peerLost,
          message: "The cluster of run '\(plan.runID)' is not complete after "
            + "\(seconds(timing.startupTimeout)): \(membership.missing); start what is missing "
            + "with this coordinator's address, or raise the start-up timeout.")))
  }

  /// Late nodes are told that there is nothing left to do; nothing else matters any more.
  mutating func answerAfterEnd(
    _ event: CoordinatorEvent, _ outcome: RunOutcome
  ) -> [CoordinatorAction] {
    guard case .message(let message, let node) = event else { return [] }
    if case .hello(let hello) = message, hello.incarnation == node {
      return [farewell(outcome, to: node)]
    }
    return ignore()
  }

  private func farewell(_ outcome: RunOutcome, to node: NodeID) -> CoordinatorAction {
    .send(.finish(reason: outcome.summary, ending: outcome.nodeEnding), to: node)
  }

  private func seconds(_ value: Double) -> String {
    "\((value * 10).rounded() / 10) s"
  }
}
