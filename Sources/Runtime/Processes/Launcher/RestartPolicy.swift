/// How often, and how soon, a process that died is restarted.
package struct RestartPolicy: Sendable, Equatable {
  /// The most restarts of one process within ``window``; the next death ends the run. With 0 the
  /// first death ends it.
  package var limit: Int
  /// Seconds.
  package var window: Double
  /// Between a death and the first restart, seconds; the delay doubles with each further restart.
  package var firstDelay: Double
  /// Seconds.
  package var longestDelay: Double
  /// If a process lived this long, seconds, its next death counts as the first again.
  package var steadyAfter: Double

  /// The most deaths in a row, each soon after the start, by a trap, an illegal instruction or a
  /// forbidden system call, which would happen again every time.
  static let trapLimit = 2
  /// The most deaths within ``window`` for lack of memory.
  static let memoryKillLimit = 3
  /// The most attempts in a row to start a process if the system refuses it.
  static let startLimit = 5

  /// - Precondition: times are above 0, `limit` is not negative.
  package init(
    limit: Int, window: Double = 600, firstDelay: Double = 0.1, longestDelay: Double = 5,
    steadyAfter: Double = 30
  ) {
    precondition(limit >= 0 && min(window, firstDelay, longestDelay, steadyAfter) > 0)
    self.limit = limit
    self.window = window
    self.firstDelay = firstDelay
    self.longestDelay = longestDelay
    self.steadyAfter = steadyAfter
  }

  /// The first death ends the run.
  package static let never = RestartPolicy(limit: 0)

  var allowsRestarts: Bool { limit > 0 }

  /// The delay of the restart after `deaths` deaths in a row, seconds.
  ///
  /// At most half of the average time per restart that the limit allows: otherwise the delays alone
  /// would keep a process that always dies at once below the limit for ever.
  func delay(afterDeaths deaths: Int) -> Double {
    let doubled = firstDelay * Double(sign: .plus, exponent: min(deaths - 1, 32), significand: 1)
    return min(doubled, longestDelay, window / Double(2 * max(1, limit)))
  }
}

/// The restarts of one process, as a value.
struct RestartHistory: Sendable, Equatable {
  /// How many restarts were planned.
  private(set) var count = 0
  private var startedAt: Double
  private var deathsInARow = 0
  /// The times of the restarts planned within the window; at most the policy's limit.
  private var recent: [Double] = []

  private var traps = 0
  private var refusedStarts = 0
  /// The times of deaths for lack of memory within the window.
  private var memoryKills: [Double] = []

  init(startedAt now: Double) { startedAt = now }

  /// Records a death, before ``plan(_:at:)``.
  ///
  /// - Returns: the exit code of the run if a restart would fail again; nil if it may help.
  mutating func recordDeath(
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

  /// Records that the process could not be started.
  ///
  /// - Parameter code: the reason; with 71 a retry may help.
  /// - Returns: the exit code of the run if another attempt would not help; nil if it may.
  mutating func recordRefusedStart(_ code: ExitCode) -> ExitCode? {
    refusedStarts += 1
    return code != .system || refusedStarts >= RestartPolicy.startLimit ? code : nil
  }

  /// Plans one more restart of a process that has just died.
  ///
  /// - Returns: the delay in seconds; nil if the limit of restarts is reached.
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

  /// Records that a start succeeded: the process existed.
  mutating func recordStart() { refusedStarts = 0 }
}

extension ExitCode {
  /// Whether an instruction ended the process: Swift's traps are ILL or TRAP, by processor.
  fileprivate var isOfTrap: Bool {
    self == .signal(4) || self == .signal(5) || self == .signal(8) || isOfForbiddenCall
  }

  /// SIGSYS.
  fileprivate var isOfForbiddenCall: Bool { self == .signal(31) }
}
