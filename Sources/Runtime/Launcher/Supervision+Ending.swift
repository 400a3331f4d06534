/// How a run ends.
extension Supervision {
  private static let killSignal: Int32 = 9
  private static let terminateSignal: Int32 = 15

  /// What follows from the end of child `index`, which is gone and does not come back.
  mutating func end(because index: Int, _ code: ExitCode, at now: Double) -> [Action] {
    let isBlamed = blame(index, code)
    if index == leader, code.isSuccess { hasLeaderSucceeded = true }
    guard !isDone, !code.isSuccess || index == leader else { return [] }
    switch stage {
    case .running, .noticing, .leaving:
      if index == leader { return leaderLeft(code, at: now) }
      // A person's signal ends the run already.
      if stopSignal != nil { return leave(by: now + limits.grace) }
      guard stage.isBeforeEnd, isBlamed else { return [] }
      return [.announce(index: index, .runEnds)] + lose(code, at: now)
    case .stoppingLeader:
      return index == leader ? terminate(at: now) : []
    case .terminating, .killing: return []
    }
  }

  /// The leader told the others to leave unless it had no chance to.
  private mutating func leaderLeft(_ code: ExitCode, at now: Double) -> [Action] {
    let wasStopped = stopSignal != nil && code.isOfPoliteSignal
    let hasEndedRun = code.isSuccess || wasStopped || stage.isNoticing
    return hasEndedRun ? leave(by: now + limits.grace) : terminate(at: now)
  }

  private mutating func lose(_ code: ExitCode, at now: Double) -> [Action] {
    guard let leader, isLiving(leader), !code.isPermanentFailure else { return stop(at: now) }
    if stage == .running { enter(.noticing(deadline: now + limits.notice)) }
    return []
  }

  /// Ends the run: by the leader if it lives.
  mutating func stop(at now: Double) -> [Action] {
    guard let leader, isLiving(leader) else { return terminate(at: now) }
    enter(.stoppingLeader(deadline: now + limits.grace))
    return [.signal(index: leader, Self.terminateSignal)]
  }

  /// Only what happens before we terminate children is their own fault. Returns whether this child
  /// is the culprit now.
  private mutating func blame(_ index: Int, _ code: ExitCode) -> Bool {
    guard !code.isSuccess else { return false }
    let isFirst = culprit == nil && (stage == .running || !code.isExpectedAfterTermination)
    let isCause = culprit?.exitCode.isPermanentFailure == false && code.isPermanentFailure
    // Nodes of a run that failed for good fail with it; why, only the leader's code says.
    let isVerdict = index == leader && code.isPermanentFailure
    guard isFirst || isCause || isVerdict else { return false }
    culprit = Culprit(index: index, exitCode: code)
    return true
  }

  mutating func handleSignal(_ number: Int32, at now: Double) -> [Action] {
    if let stoppedAt { return now - stoppedAt < limits.repetition ? [] : kill(at: now) }
    stopSignal = number
    stoppedAt = now
    guard stage.isBeforeEnd else { return [] }
    enter(.leaving(deadline: now + limits.stop))
    if let leader, isLiving(leader) { return [.signal(index: leader, number)] }
    return signalAll(number)
  }

  mutating func handleDeadline(at now: Double) -> [Action] {
    guard let deadline = stage.deadline, now >= deadline else { return [] }
    switch stage {
    case .noticing: return stop(at: now)
    case .leaving, .stoppingLeader: return terminate(at: now)
    case .running, .terminating: return kill(at: now)
    case .killing(let since, _): return linger(since: since, at: now)
    }
  }

  private mutating func leave(by deadline: Double) -> [Action] {
    if case .leaving(let earlier) = stage, earlier <= deadline { return [] }
    enter(.leaving(deadline: deadline))
    return []
  }

  private mutating func terminate(at now: Double) -> [Action] {
    enter(.terminating(deadline: now + limits.grace))
    return signalAll(Self.terminateSignal)
  }

  private mutating func kill(at now: Double) -> [Action] {
    if case .killing = stage { return signalAll(Self.killSignal) }
    enter(.killing(since: now, deadline: now + limits.grace))
    return signalAll(Self.killSignal)
  }

  /// Tells of children that do not even end when they are killed, and gives them up in the end: the
  /// kernel ends them when it can.
  private mutating func linger(since: Double, at now: Double) -> [Action] {
    let living = children.indices.filter(isLiving)
    guard now - since < limits.linger else {
      for index in living { children[index].state = .gone }
      return []
    }
    enter(.killing(since: since, deadline: now + limits.grace))
    return living.flatMap {
      [.announceLingering(index: $0, seconds: now - since), .signal(index: $0, Self.killSignal)]
    }
  }

  private func signalAll(_ number: Int32) -> [Action] {
    children.indices.filter(isLiving).map { .signal(index: $0, number) }
  }
}

extension ExitCode {
  /// What a child reports that was told to end.
  fileprivate var isExpectedAfterTermination: Bool {
    isOfPoliteSignal || self == .signal(9)
  }
}
