import Messages

extension CoordinatorState {
  /// Ends the run: the store knows, everybody is told, people know. In this order: nodes that are
  /// sent home do not come back, so nobody may be by a coordinator that dies before the end is
  /// recorded, or cannot record it because another has taken over.
  mutating func end(_ ending: RunOutcome.Ending) -> [CoordinatorAction] {
    let outcome = RunOutcome(ending: ending, epochsFinished: epochsFinished, best: savedBest)
    phase = .ended(outcome)
    stop = nil
    workerlessSince = nil
    return [record(.ended(message: outcome.summary))]
      + membership.all.map { farewell(outcome, to: $0) }
      + [.report(.stopping(outcome)), .finish(outcome)]
  }

  /// The actions of an end, with the answer to the event that brought it about.
  mutating func answering(
    _ event: CoordinatorEvent, within end: [CoordinatorAction]
  ) -> [CoordinatorAction] {
    end.dropLast() + answerAfterEnd(event) + end.suffix(1)
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

  /// Late nodes, and those that did not hear it, are told that there is nothing left to do; nothing
  /// else matters any more.
  mutating func answerAfterEnd(_ event: CoordinatorEvent) -> [CoordinatorAction] {
    guard case .message(let message, let node) = event, case .ended(let outcome) = phase else {
      return []
    }
    switch message {
    case .hello, .heartbeat: return [farewell(outcome, to: node)]
    case .ready, .taskDone, .taskFailed, .goodbye, .held, .checkpointWritten, .checkpointFailed:
      return ignore()
    }
  }

  private func farewell(_ outcome: RunOutcome, to node: NodeID) -> CoordinatorAction {
    .send(.finish(reason: outcome.summary, ending: outcome.nodeEnding), to: node)
  }
}
