/// Decides what becomes of a group of processes: a value without processes, clock or signals.
///
///     running → noticing → stoppingLeader → terminating → killing
///        └────→ leaving ──────────────────────┘
///
/// - While the group is running, a child that was killed, or that says with its code that trying
///   again helps, is started again as the ``RestartPolicy`` has it: the leader like any other. As
///   soon as the run is about to end, for whatever reason, nobody is started any more.
/// - While the group is running, a child that gave signs of life and gives none any more for the
///   hang time is killed: then it is one that was killed. Time in which we did not run ourselves
///   does not count.
/// - What a restart cannot mend is not restarted for ever: a child that traps twice soon after its
///   start, that the kernel kills again and again for lack of memory, or that the system does not
///   let us start, ends the run for good.
/// - A child that ends with success while the leader goes on was asked to leave, and the others do
///   without it, unless it was the last of its role. At the end of a run the others leave a little
///   before the leader: what it was, the settling time shows.
/// - Without restarts a child that is lost ends the run, but the leader gets the notice time to
///   find out by itself: it knows the nodes, so the run's records name the one that is missing.
///   Were all terminated at once, the healthy ones would say goodbye first and be blamed.
/// - A child that fails for good, is lost too often, or is lost without the leader noticing, ends
///   the run: the leader is terminated first, the others when it has left or after the grace time.
/// - When the leader is done, the others have the grace time to leave by themselves.
/// - The first signal of a person goes to the leader (without one, or while it is dead: to all);
///   everybody gets the stop time to leave, then they are terminated. The second signal kills at
///   once, unless it comes with the first: `timeout` signals a process and then its group.
public struct Supervision: Sendable, Equatable {
  public enum Event: Sendable, Equatable {
    /// Child `index` ended; `isOutOfMemory`: killed by the kernel because there was no memory.
    case ended(index: Int, ExitCode, isOutOfMemory: Bool = false)
    /// Child `index` could not be started again; 71: the system refuses, which may pass.
    case notStarted(index: Int, ExitCode = .system)
    /// Child `index` gave a sign of life, at any time since the last tick.
    case alive(index: Int)
    /// A person sent a signal.
    case signal(Int32)
    case tick
  }

  public enum Action: Sendable, Equatable {
    /// Send a signal to child `index`.
    case signal(index: Int, Int32)
    /// Kill child `index`, which gave no sign of life for so many seconds, and tell people.
    case killHung(index: Int, silence: Double)
    /// Start child `index`, which is dead, again.
    case start(index: Int)
    /// Tell people that child `index`, which was killed, has not ended after so many seconds.
    case announceLingering(index: Int, seconds: Double)
    /// Tell people what follows from the end of child `index`.
    case announce(index: Int, Consequence)
  }

  /// What the end of a child means for the group.
  public enum Consequence: Sendable, Equatable {
    /// The run ends because of it.
    case runEnds
    /// The run ends because it was restarted too often already.
    case tooManyRestarts
    /// The run ends because a restart would not mend that.
    case cannotBeMended
    /// It is started again after a time in seconds, for the `count`th time.
    case restarts(after: Double, count: Int)
    /// The run goes on without it.
    case goesOnWithout
  }

  public struct Limits: Sendable, Equatable {
    /// Between the wish that a child ends and the next stronger means, seconds.
    public var grace: Double
    /// How long an orderly stop may take after a person's signal, seconds.
    public var stop: Double
    /// How long the leader has to end the run by itself after a child was lost, seconds. Longer
    /// than the silence after which it counts a node as lost.
    public var notice: Double
    /// How long the leader may take to end after it has told the others that the run is over,
    /// seconds.
    public var settle: Double
    /// Silence after which a child counts as hanging, seconds; 0: never.
    public var hang: Double
    /// A signal so soon after the first is no second wish, seconds.
    public var repetition: Double
    /// How long children that were killed are waited for, seconds: what waits for a disk does not
    /// end before the disk answers.
    public var linger: Double

    public init(
      grace: Double = 10, stop: Double = 60, notice: Double = 20, settle: Double = 5,
      hang: Double = 0, repetition: Double = 0.5, linger: Double = 60
    ) {
      self.grace = grace
      self.stop = stop
      self.notice = notice
      self.settle = settle
      self.hang = hang
      self.repetition = repetition
      self.linger = linger
    }
  }

  enum Stage: Sendable, Equatable {
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
    /// Sent SIGKILL at `since`; looked at again at the deadline.
    case killing(since: Double, deadline: Double)

    var deadline: Double? {
      switch self {
      case .running: nil
      case .killing(_, let deadline): deadline
      case .noticing(let deadline), .stoppingLeader(let deadline), .leaving(let deadline),
        .terminating(let deadline):
        deadline
      }
    }

    var isNoticing: Bool { if case .noticing = self { true } else { false } }
    /// Whether nobody has been asked to end.
    var isBeforeEnd: Bool { self == .running || isNoticing }
  }

  struct Child: Sendable, Equatable {
    enum State: Sendable, Equatable {
      case living
      /// Ended with success; the leader may be about to end too.
      case settling(deadline: Double)
      /// Dead until it is started again.
      case waiting(deadline: Double)
      case gone

      var deadline: Double? {
        switch self {
        case .living, .gone: nil
        case .settling(let deadline), .waiting(let deadline): deadline
        }
      }
    }

    let role: String
    var state = State.living
    var silence = Silence()
    var restarts: RestartHistory
  }

  let leader: Int?
  let limits: Limits
  let policy: RestartPolicy
  private(set) var stage = Stage.running
  var children: [Child]
  private var tickedAt: Double
  /// A leader that was stopped says so by its exit code: with 0 the run was complete.
  var hasLeaderSucceeded = false
  /// The first signal that a person sent, to us or to the leader itself.
  public internal(set) var stopSignal: Int32?
  /// When a person's first signal came.
  var stoppedAt: Double?
  /// The child whose failure counts: the leader if its is permanent, else the first permanent one,
  /// else the first one at all. Those that were started again do not count.
  public internal(set) var culprit: Culprit?

  public struct Culprit: Sendable, Equatable {
    public var index: Int
    public var exitCode: ExitCode
  }

  /// - Parameters:
  ///   - roles: of the children, all started, such as `worker`.
  ///   - leader: the child that speaks for the run, if there is one.
  ///   - now: when they were started, seconds on a monotonic clock.
  public init(
    roles: [String], leader: Int?, limits: Limits = Limits(), policy: RestartPolicy = .never,
    at now: Double
  ) {
    precondition(leader.map { roles.indices.contains($0) } ?? true)
    self.leader = leader
    self.limits = limits
    self.policy = policy
    tickedAt = now
    children = roles.map { Child(role: $0, restarts: RestartHistory(startedAt: now)) }
  }

  /// Whether nobody lives and nobody will be started again.
  public var isDone: Bool { children.allSatisfy { $0.state == .gone } }

  /// How the group ended. A permanent failure (1…127) of any child counts more than what followed
  /// from it elsewhere, such as the coordinator's "a peer is lost".
  public var exitCode: ExitCode {
    if let culprit, culprit.exitCode.isPermanentFailure { return culprit.exitCode }
    if hasLeaderSucceeded { return .success }
    if let stopSignal { return .signal(stopSignal) }
    // A child that was lost to a signal which no person sent may do well the next time.
    return culprit == nil ? .success : .transient
  }

  /// When `tick` has something to decide; nil for never. Hanging children are found by ticks in
  /// between, at least one per ``Silence/longestStep``.
  public var nextDeadline: Double? {
    (children.map(\.state.deadline) + [stage.deadline]).compactMap { $0 }.min()
  }

  /// - Parameter now: seconds on a monotonic clock.
  public mutating func handle(_ event: Event, at now: Double) -> [Action] {
    switch event {
    case .ended(let index, let code, let isOutOfMemory):
      return handleEnd(of: index, code, isOutOfMemory: isOutOfMemory, at: now)
    case .notStarted(let index, let code): return handleRefusedStart(of: index, code, at: now)
    case .alive(let index):
      children[index].silence.end()
      return []
    case .signal(let number): return handleSignal(number, at: now)
    case .tick:
      let step = now - tickedAt
      tickedAt = now
      return handleSilence(over: step) + handleRestarts(at: now) + handleDeadline(at: now)
    }
  }

  private mutating func handleEnd(
    of index: Int, _ code: ExitCode, isOutOfMemory: Bool, at now: Double
  ) -> [Action] {
    guard children[index].state == .living else { return [] }
    children[index].state = .gone
    children[index].restarts.lives()
    if let actions = giveUpIncurable(index, code, isOutOfMemory: isOutOfMemory, at: now) {
      return actions
    }
    if let actions = carryOn(without: index, code, at: now) { return actions }
    return end(because: index, code, at: now)
  }

  /// Nobody is started any more once the run is about to end.
  mutating func enter(_ stage: Stage) {
    self.stage = stage
    for index in children.indices where children[index].state != .living {
      children[index].state = .gone
    }
  }

  func isLiving(_ index: Int) -> Bool { children[index].state == .living }
}
