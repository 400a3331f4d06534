/// Decides what becomes of a group of processes: a value without processes, clock or signals.
///
///     running → noticing → stoppingLeader → terminating → killing
///        └────→ leaving ──────────────────────┘
///
/// - A child that is lost (killed, or with a code that says: try again) ends the run, but the
///   leader gets the notice time to find out by itself: it knows the nodes, so the run's records
///   name the one that is missing. Were all terminated at once, the healthy ones would say goodbye
///   first and be blamed.
/// - A child that fails for good, or is lost without the leader noticing, ends the run at once:
///   the leader is terminated first, the others when it has left or after the grace time.
/// - When the leader is done, the others have the grace time to leave by themselves.
/// - The first signal of a person goes to the leader (without one: to all); everybody gets the
///   stop time to leave, then they are terminated. The second signal kills at once.
///
/// Restarting what died is not built; its place is `handle(.ended)`.
public struct Supervision: Sendable, Equatable {
  public enum Event: Sendable, Equatable {
    /// Child `index` ended.
    case ended(index: Int, ExitCode)
    /// A person sent a signal.
    case signal(Int32)
    case tick
  }

  public enum Action: Sendable, Equatable {
    /// Send a signal to child `index`.
    case signal(index: Int, Int32)
    /// Tell people that child `index` failed and that the run ends because of it.
    case announce(index: Int)
  }

  public struct Limits: Sendable, Equatable {
    /// Between the wish that a child ends and the next stronger means, seconds.
    public var grace: Double
    /// How long an orderly stop may take after a person's signal, seconds.
    public var stop: Double
    /// How long the leader has to end the run by itself after a child was lost, seconds. Longer
    /// than the silence after which it counts a node as lost.
    public var notice: Double

    public init(grace: Double = 10, stop: Double = 60, notice: Double = 20) {
      self.grace = grace
      self.stop = stop
      self.notice = notice
    }
  }

  private enum Stage: Sendable, Equatable {
    case running
    /// A child was lost; the leader is stopped at the deadline if it has not ended the run.
    case noticing(deadline: Double)
    /// The leader was sent SIGTERM; the others follow when it has left, at the latest at the
    /// deadline.
    case stoppingLeader(deadline: Double)
    /// Asked to leave in good order; terminated at the deadline.
    case leaving(deadline: Double)
    /// Sent SIGTERM; killed at the deadline.
    case terminating(deadline: Double)
    case killing

    var isNoticing: Bool { if case .noticing = self { true } else { false } }
    /// Whether nobody has been asked to end.
    var isBeforeEnd: Bool { self == .running || isNoticing }
  }

  private static let killSignal: Int32 = 9
  private static let terminateSignal: Int32 = 15

  private let leader: Int?
  private let limits: Limits
  private var stage = Stage.running
  private var living: Set<Int>
  /// A leader that was stopped says so by its exit code: with 0 the run was complete.
  private var hasLeaderSucceeded = false
  /// The first signal that a person sent.
  public private(set) var stopSignal: Int32?
  /// The child whose failure counts: the leader if its is permanent, else the first permanent one,
  /// else the first one at all.
  public private(set) var culprit: Culprit?

  public struct Culprit: Sendable, Equatable {
    public var index: Int
    public var exitCode: ExitCode
  }

  /// - Parameters:
  ///   - count: number of children, all started.
  ///   - leader: the child that speaks for the run, if there is one.
  public init(count: Int, leader: Int?, limits: Limits = Limits()) {
    precondition(leader.map { (0..<count).contains($0) } ?? true)
    self.leader = leader
    self.limits = limits
    self.living = Set(0..<count)
  }

  public var isDone: Bool { living.isEmpty }

  /// How the group ended. A permanent failure (1…127) of any child counts more than what followed
  /// from it elsewhere, such as the coordinator's "a peer is lost".
  public var exitCode: ExitCode {
    if let culprit, culprit.exitCode.isPermanentFailure { return culprit.exitCode }
    if hasLeaderSucceeded { return .success }
    if let stopSignal { return .signal(stopSignal) }
    // A child that was lost to a signal which no person sent may do well the next time.
    return culprit == nil ? .success : .transient
  }

  /// When `tick` has something to decide; nil for never.
  public var nextDeadline: Double? {
    switch stage {
    case .running, .killing: nil
    case .noticing(let deadline), .stoppingLeader(let deadline), .leaving(let deadline),
      .terminating(let deadline):
      deadline
    }
  }

  /// - Parameter now: seconds on a monotonic clock.
  public mutating func handle(_ event: Event, at now: Double) -> [Action] {
    switch event {
    case .ended(let index, let code): handleEnd(of: index, code, at: now)
    case .signal(let number): handleSignal(number, at: now)
    case .tick: handleDeadline(at: now)
    }
  }

  private mutating func handleEnd(of index: Int, _ code: ExitCode, at now: Double) -> [Action] {
    guard living.remove(index) != nil else { return [] }
    let isBlamed = blame(index, code)
    if index == leader, code.isSuccess { hasLeaderSucceeded = true }
    guard !living.isEmpty, !code.isSuccess || index == leader else { return [] }
    switch stage {
    case .running, .noticing, .leaving:
      if index == leader { return leaderLeft(code, at: now) }
      // A person's signal ends the run already.
      if stopSignal != nil { return leave(by: now + limits.grace) }
      guard stage.isBeforeEnd, isBlamed else { return [] }
      return [.announce(index: index)] + lose(code, at: now)
    case .stoppingLeader:
      return index == leader ? terminate(at: now) : []
    case .terminating, .killing: return []
    }
  }

  /// The leader told the others to leave unless it had no chance to.
  private mutating func leaderLeft(_ code: ExitCode, at now: Double) -> [Action] {
    let hasEndedRun = code.isSuccess || stopSignal != nil || stage.isNoticing
    return hasEndedRun ? leave(by: now + limits.grace) : terminate(at: now)
  }

  private mutating func lose(_ code: ExitCode, at now: Double) -> [Action] {
    guard let leader, living.contains(leader) else { return terminate(at: now) }
    if code.isPermanentFailure { return stopLeader(leader, at: now) }
    if stage == .running { stage = .noticing(deadline: now + limits.notice) }
    return []
  }

  private mutating func stopLeader(_ leader: Int, at now: Double) -> [Action] {
    stage = .stoppingLeader(deadline: now + limits.grace)
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

  private mutating func handleSignal(_ number: Int32, at now: Double) -> [Action] {
    guard stopSignal == nil else { return kill() }
    stopSignal = number
    guard stage.isBeforeEnd else { return [] }
    stage = .leaving(deadline: now + limits.stop)
    if let leader, living.contains(leader) { return [.signal(index: leader, number)] }
    return signalAll(number)
  }

  private mutating func handleDeadline(at now: Double) -> [Action] {
    guard let deadline = nextDeadline, now >= deadline else { return [] }
    switch stage {
    case .noticing:
      guard let leader, living.contains(leader) else { return terminate(at: now) }
      return stopLeader(leader, at: now)
    case .leaving, .stoppingLeader: return terminate(at: now)
    case .running, .terminating, .killing: return kill()
    }
  }

  private mutating func leave(by deadline: Double) -> [Action] {
    if case .leaving(let earlier) = stage, earlier <= deadline { return [] }
    stage = .leaving(deadline: deadline)
    return []
  }

  private mutating func terminate(at now: Double) -> [Action] {
    stage = .terminating(deadline: now + limits.grace)
    return signalAll(Self.terminateSignal)
  }

  private mutating func kill() -> [Action] {
    stage = .killing
    return signalAll(Self.killSignal)
  }

  private func signalAll(_ number: Int32) -> [Action] {
    living.sorted().map { .signal(index: $0, number) }
  }
}

extension ExitCode {
  /// What a child reports that was told to end.
  fileprivate var isExpectedAfterTermination: Bool {
    [.interrupted, .terminated, .signal(9)].contains(self)
  }
}
