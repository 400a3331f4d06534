/// The restarts of one process, as a value.
struct RestartHistory: Sendable, Equatable {
  /// How many were planned.
  private(set) var count = 0
  private var startedAt: Double
  private var deathsInARow = 0
  /// When the restarts within the window were planned; at most the limit of them.
  private var recent: [Double] = []

  private var traps = 0
  private var refusedStarts = 0
  /// When there was no memory, within the window.
  private var memoryKills: [Double] = []

  init(startedAt now: Double) { startedAt = now }

  /// Takes note of a death, before ``plan(_:at:)``.
  ///
  /// - Returns: with which code the run ends because a restart would not mend that; nil: it may.
  mutating func note(
    _ death: ExitCode, isOutOfMemory: Bool, _ policy: RestartPolicy, at now: Double
  ) -> ExitCode? {
    let isSteady = now - startedAt >= policy.steadyAfter
    traps = death.isOfTrap ? (isSteady ? 1 : traps + 1) : 0
    if traps >= RestartPolicy.trapLimit { return death.isOfForbiddenCall ? .system : .software }
    guard isOutOfMemory else { return nil }
    memoryKills.removeAll { $0 <= now - policy.window }
    memoryKills.append(now)
    return memoryKills.count >= RestartPolicy.memoryKillLimit ? .system : nil
  }

  /// Takes note that the process could not be started.
  ///
  /// - Parameter code: why; 71 may pass.
  /// - Returns: with which code the run ends because another attempt would not help; nil: it may.
  mutating func noteRefusedStart(_ code: ExitCode) -> ExitCode? {
    refusedStarts += 1
    return code != .system || refusedStarts >= RestartPolicy.startLimit ? code : nil
  }

  /// Plans one more restart of a process that has just died: after how many seconds, or nil when
  /// that would be one too many.
  mutating func plan(_ policy: RestartPolicy, at now: Double) -> Double? {
    recent.removeAll { $0 <= now - policy.window }
    guard recent.count < policy.limit else { return nil }
    if now - startedAt >= policy.steadyAfter { deathsInARow = 0 }
    recent.append(now)
    deathsInARow += 1
    count += 1
    return policy.delay(afterDeaths: deathsInARow)
  }

  mutating func started(at now: Double) { startedAt = now }

  /// There is a process, whatever becomes of it.
  mutating func lives() { refusedStarts = 0 }
}

extension ExitCode {
  /// Of a process that ended itself at an instruction: Swift's traps are ILL or TRAP, by processor.
  fileprivate var isOfTrap: Bool {
    self == .signal(4) || self == .signal(5) || self == .signal(8) || isOfForbiddenCall
  }

  /// SIGSYS.
  fileprivate var isOfForbiddenCall: Bool { self == .signal(31) }
}
