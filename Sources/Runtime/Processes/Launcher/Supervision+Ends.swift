/// Restarts children that have ended, or lets the run continue without them.
extension Supervision {
  /// The actions that let the run continue after child `index` has ended; nil if the run must end.
  mutating func continueRun(
    without index: Int, _ code: ExitCode, at now: Double
  ) -> [Action]? {
    guard stage == .running, policy.allowsRestarts, !code.isPermanentFailure else { return nil }
    guard code.isSuccess || code.isOfStopSignal else { return restart(index, code, at: now) }
    guard index != leader else { return code.isSuccess ? nil : leaderWasStopped(code, at: now) }
    // In a group without a leader each child ends when its own work is done.
    guard leader != nil else { return code.isSuccess ? nil : restart(index, code, at: now) }
    children[index].state = .settling(deadline: now + limits.settle)
    return []
  }

  /// The user stopped the leader directly: the leader has asked the others to leave.
  private mutating func leaderWasStopped(_ code: ExitCode, at now: Double) -> [Action] {
    stopSignal = code.rawValue - ExitCode.signal(0).rawValue
    enter(.leaving(deadline: now + limits.grace))
    return []
  }

  /// Ends the run if a restart of the child would fail in the same way; nil if a restart may help.
  mutating func endIfItFailsAgain(
    _ index: Int, _ code: ExitCode, isOutOfMemory: Bool, at now: Double
  ) -> [Action]? {
    guard stage == .running, policy.allowsRestarts, !code.isSuccess,
      let runCode = children[index].restarts.recordDeath(
        code, isOutOfMemory: isOutOfMemory, policy, at: now)
    else { return nil }
    return endPermanently(index, runCode, at: now)
  }

  /// Retries a child that could not be restarted, or ends the run.
  mutating func handleRefusedStart(
    of index: Int, _ code: ExitCode, at now: Double
  ) -> [Action] {
    guard children[index].state == .living else { return [] }
    children[index].state = .gone
    guard stage == .running else { return end(because: index, .transient, at: now) }
    if let runCode = children[index].restarts.recordRefusedStart(code) {
      return endPermanently(index, runCode, at: now)
    }
    return restart(index, .transient, at: now)
  }

  private mutating func endPermanently(
    _ index: Int, _ runCode: ExitCode, at now: Double
  ) -> [Action] {
    culprit = Culprit(index: index, exitCode: runCode)
    return [.announce(index: index, .failsAgain)] + stop(at: now)
  }

  private mutating func restart(_ index: Int, _ code: ExitCode, at now: Double) -> [Action] {
    guard let delay = children[index].restarts.plan(policy, at: now) else {
      return endAfterTooManyRestarts(index, code, at: now)
    }
    children[index].state = .waiting(deadline: now + delay)
    let count = children[index].restarts.count
    return [.announce(index: index, .restarts(after: delay, count: count))]
  }

  private mutating func endAfterTooManyRestarts(
    _ index: Int, _ code: ExitCode, at now: Double
  ) -> [Action] {
    children[index].state = .gone
    culprit = Culprit(index: index, exitCode: code.isSuccess ? .transient : code)
    // The leader would wait for the child to come back, so the run is ended here.
    return [.announce(index: index, .tooManyRestarts)] + stop(at: now)
  }

  /// Restarts children whose delay is over, and decides about those that left with success.
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
        actions.append(.announce(index: index, .continuesWithout))
      } else {
        actions += restart(index, .success, at: now)
      }
    }
    return actions
  }

  /// Whether another child of the same role is running or will be restarted.
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
  /// Whether SIGINT or SIGTERM stopped the process.
  var isOfStopSignal: Bool { self == .interrupted || self == .terminated }
}

/// Ends the run.
extension Supervision {
  private static let killSignal: Int32 = 9
  private static let terminateSignal: Int32 = 15

  /// The actions after child `index` has ended and will not be restarted.
  mutating func end(because index: Int, _ code: ExitCode, at now: Double) -> [Action] {
    let isBlamed = blame(index, code)
    if index == leader, code.isSuccess { hasLeaderSucceeded = true }
    guard !isDone, !code.isSuccess || index == leader else { return [] }
    switch stage {
    case .running, .noticing, .leaving:
      if index == leader { return leaderLeft(code, at: now) }
      // The run is already ending because of the user's signal.
      if stopSignal != nil { return leave(by: now + limits.grace) }
      guard stage.isBeforeEnd, isBlamed else { return [] }
      return [.announce(index: index, .runEnds)] + lose(code, at: now)
    case .stoppingLeader:
      return index == leader ? terminate(at: now) : []
    case .terminating, .killing: return []
    }
  }

  /// The others leave by themselves if the leader could ask them to; otherwise they are terminated.
  private mutating func leaderLeft(_ code: ExitCode, at now: Double) -> [Action] {
    let wasStopped = stopSignal != nil && code.isOfStopSignal
    let hasEndedRun = code.isSuccess || wasStopped || stage.isNoticing
    return hasEndedRun ? leave(by: now + limits.grace) : terminate(at: now)
  }

  private mutating func lose(_ code: ExitCode, at now: Double) -> [Action] {
    guard let leader, isLiving(leader), !code.isPermanentFailure else { return stop(at: now) }
    if stage == .running { enter(.noticing(deadline: now + limits.notice)) }
    return []
  }

  /// Ends the run: through the leader if it is running.
  mutating func stop(at now: Double) -> [Action] {
    guard let leader, isLiving(leader) else { return terminate(at: now) }
    enter(.stoppingLeader(deadline: now + limits.grace))
    return [.signal(index: leader, Self.terminateSignal)]
  }

  /// Makes the child the culprit if its failure explains the end of the run better than earlier
  /// ones. Failures after children were terminated are consequences and do not count.
  ///
  /// - Returns: whether this child is the culprit now.
  private mutating func blame(_ index: Int, _ code: ExitCode) -> Bool {
    guard !code.isSuccess else { return false }
    let isFirst = culprit == nil && (stage == .running || !code.isExpectedAfterTermination)
    let isCause = culprit?.exitCode.isPermanentFailure == false && code.isPermanentFailure
    // In a run that failed permanently all nodes fail; only the leader's code has the cause.
    let isLeaderCause = index == leader && code.isPermanentFailure
    guard isFirst || isCause || isLeaderCause else { return false }
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

  /// Announces children that have not ended after SIGKILL, and stops waiting for them after the
  /// limit: the kernel ends them when it can.
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
  /// Whether a child that was terminated may end with this code.
  fileprivate var isExpectedAfterTermination: Bool {
    isOfStopSignal || self == .signal(9)
  }
}
