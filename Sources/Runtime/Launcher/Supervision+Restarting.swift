/// How a run goes on although a child has ended.
extension Supervision {
  /// What keeps the run going without child `index`, which is gone; nil when it has to end.
  mutating func carryOn(
    without index: Int, _ code: ExitCode, at now: Double
  ) -> [Action]? {
    guard stage == .running, policy.allowsRestarts, !code.isPermanentFailure else { return nil }
    guard code.isSuccess || code.isOfPoliteSignal else { return restart(index, code, at: now) }
    guard index != leader else { return code.isSuccess ? nil : leaderWasStopped(code, at: now) }
    // Without a leader each child ends when its own work is done.
    guard leader != nil else { return code.isSuccess ? nil : restart(index, code, at: now) }
    children[index].state = .settling(deadline: now + limits.settle)
    return []
  }

  /// A person ended the run without us: the leader has told the others.
  private mutating func leaderWasStopped(_ code: ExitCode, at now: Double) -> [Action] {
    stopSignal = code.rawValue - ExitCode.signal(0).rawValue
    enter(.leaving(deadline: now + limits.grace))
    return []
  }

  /// Ends the run when a child died of what a restart cannot mend; nil: it may be mended.
  mutating func giveUpIncurable(
    _ index: Int, _ code: ExitCode, isOutOfMemory: Bool, at now: Double
  ) -> [Action]? {
    guard stage == .running, policy.allowsRestarts, !code.isSuccess,
      let verdict = children[index].restarts.note(
        code, isOutOfMemory: isOutOfMemory, policy, at: now)
    else { return nil }
    return endForGood(index, verdict, at: now)
  }

  /// A child that could not be started again is tried once more, or ends the run.
  mutating func handleRefusedStart(
    of index: Int, _ code: ExitCode, at now: Double
  ) -> [Action] {
    guard children[index].state == .living else { return [] }
    children[index].state = .gone
    guard stage == .running else { return end(because: index, .transient, at: now) }
    if let verdict = children[index].restarts.noteRefusedStart(code) {
      return endForGood(index, verdict, at: now)
    }
    return restart(index, .transient, at: now)
  }

  private mutating func endForGood(
    _ index: Int, _ verdict: ExitCode, at now: Double
  ) -> [Action] {
    culprit = Culprit(index: index, exitCode: verdict)
    return [.announce(index: index, .cannotBeMended)] + stop(at: now)
  }

  private mutating func restart(_ index: Int, _ code: ExitCode, at now: Double) -> [Action] {
    guard let delay = children[index].restarts.plan(policy, at: now) else {
      return giveUp(index, code, at: now)
    }
    children[index].state = .waiting(deadline: now + delay)
    let count = children[index].restarts.count
    return [.announce(index: index, .restarts(after: delay, count: count))]
  }

  private mutating func giveUp(_ index: Int, _ code: ExitCode, at now: Double) -> [Action] {
    children[index].state = .gone
    culprit = Culprit(index: index, exitCode: code.isSuccess ? .transient : code)
    // The leader waits for the child to come back: it would not end the run by itself.
    return [.announce(index: index, .tooManyRestarts)] + stop(at: now)
  }

  /// Starts whom it is time for, and finds out who left for good.
  mutating func handleRestarts(at now: Double) -> [Action] {
    var actions: [Action] = []
    for index in children.indices {
      guard let deadline = children[index].state.deadline, now >= deadline else { continue }
      if case .waiting = children[index].state {
        children[index].state = .living
        children[index].silence = Silence()
        children[index].restarts.started(at: now)
        actions.append(.start(index: index))
      } else if hasOther(like: index) {
        children[index].state = .gone
        actions.append(.announce(index: index, .goesOnWithout))
      } else {
        actions += restart(index, .success, at: now)
      }
    }
    return actions
  }

  /// Whether somebody else of the same role lives or will live again.
  private func hasOther(like index: Int) -> Bool {
    children.indices.contains { other in
      guard other != index, children[other].role == children[index].role else { return false }
      switch children[other].state {
      case .living, .waiting: return true
      case .settling, .gone: return false
      }
    }
  }
}

extension ExitCode {
  /// Of a process that a person asked to end.
  var isOfPoliteSignal: Bool { self == .interrupted || self == .terminated }
}
