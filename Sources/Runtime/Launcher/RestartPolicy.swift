/// How often, and how soon, a process that died is started again.
public struct RestartPolicy: Sendable, Equatable {
  /// The most restarts of one process within ``window``; the next death ends the run. With 0 the
  /// first one does.
  public var limit: Int
  /// Seconds.
  public var window: Double
  /// Between a death and the first restart, seconds; each further one waits twice as long.
  public var firstDelay: Double
  /// Seconds.
  public var longestDelay: Double
  /// After a life of this length, seconds, the next death counts as the first again.
  public var steadyAfter: Double

  /// The most deaths in a row, each soon after the start before it, by a signal that means the same
  /// every time: a trap, an illegal instruction, a forbidden system call.
  static let trapLimit = 2
  /// The most deaths within ``window`` because there was no memory.
  static let memoryKillLimit = 3
  /// The most attempts in a row to start a process that the system refuses.
  static let startLimit = 5

  /// - Precondition: times are above 0, `limit` is not negative.
  public init(
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
  public static let never = RestartPolicy(limit: 0)

  var allowsRestarts: Bool { limit > 0 }

  /// How long to wait after the last of `deaths` deaths in a row, seconds.
  ///
  /// Never longer than half of what the limit leaves to each restart on average: otherwise the
  /// waiting itself could keep a process that always dies at once below the limit for ever.
  func delay(afterDeaths deaths: Int) -> Double {
    let doubled = firstDelay * Double(sign: .plus, exponent: min(deaths - 1, 32), significand: 1)
    return min(doubled, longestDelay, window / Double(2 * max(1, limit)))
  }
}
