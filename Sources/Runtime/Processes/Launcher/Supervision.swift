/// Decides about the processes of a group: restarts, kills and the end of the run. A value: it has
/// no processes, clock or signals.
///
///     running → noticing → stoppingLeader → terminating → killing
///        └────→ leaving ──────────────────────┘
///
/// - While the group is running, a child that was killed, or whose exit code asks for a retry, is
///   restarted according to the ``RestartPolicy``; this includes the leader. Once the run is ending
///   for any reason, no child is restarted.
/// - While the group is running, a child whose life signs stop for the hang time is killed, and
///   then treated like any killed child. Time in which the launcher itself was stopped does not
///   count.
/// - Restarts that would fail again are not repeated for ever: a child that traps twice soon after
///   its start, that the kernel kills repeatedly for lack of memory, or that the system refuses to
///   start, ends the run permanently.
/// - A child that ends with success while the leader keeps running was asked to leave; the run
///   continues without it, unless it was the last of its role. At the end of a run the others leave
///   shortly before the leader; the settling time distinguishes the two cases.
/// - Without restarts a lost child ends the run, but the leader gets the notice time to detect the
///   loss: then the run's records name the missing node. If all were terminated at once, healthy
///   nodes would leave first and be blamed.
/// - A child that fails permanently, is lost too often, or is lost without the leader detecting it,
///   ends the run: the leader is terminated first, the others when it has ended or after the grace
///   time.
/// - When the leader has ended, the others get the grace time to leave by themselves.
/// - The user's first signal is forwarded to the leader (to all, if there is none or it is dead).
///   All get the stop time to leave, then they are terminated. The second signal kills them at
///   once, unless it arrives together with the first: `timeout` signals a process and then its
///   group.
package struct Supervision: Sendable, Equatable {
  package enum Event: Sendable, Equatable {
    /// Child `index` ended; `isOutOfMemory`: the kernel killed it for lack of memory.
    case ended(index: Int, ExitCode, isOutOfMemory: Bool = false)
    /// Child `index` could not be restarted; with 71 (the system refused) a retry may help.
    case notStarted(index: Int, ExitCode = .system)
    /// Child `index` sent a life sign since the last tick.
    case alive(index: Int)
    /// The user sent a signal.
    case signal(Int32)
    case tick
  }

  package enum Action: Sendable, Equatable {
    /// Send a signal to child `index`.
    case signal(index: Int, Int32)
    /// Kill child `index`, which sent no life sign for `silence` seconds, and show a notice.
    case killHung(index: Int, silence: Double)
    /// Restart child `index`, which has ended.
    case start(index: Int)
    /// Show that child `index` has not ended `seconds` after it was killed.
    case announceLingering(index: Int, seconds: Double)
    /// Show what follows from the end of child `index`.
    case announce(index: Int, Consequence)
  }

  /// What the end of a child means for the group.
  package enum Consequence: Sendable, Equatable {
    /// The run ends because of it.
    case runEnds
    /// The run ends because the child was restarted too often.
    case tooManyRestarts
    /// The run ends because a restarted child would fail in the same way.
    case failsAgain
    /// The child is restarted after a time in seconds, for the `count`th time.
    case restarts(after: Double, count: Int)
    /// The run continues without the child.
    case continuesWithout
  }

  package struct Limits: Sendable, Equatable {
    /// Between asking a child to end and the next stronger signal, seconds.
    package var grace: Double
    /// How long an orderly stop may take after the user's signal, seconds.
    package var stop: Double
    /// How long the leader has to end the run by itself after a child was lost, seconds. Longer
    /// than the timeout after which it counts a node as lost.
    package var notice: Double
    /// How long the leader may run after it has sent the others the end of the run, seconds.
    package var settle: Double
    /// Time without life signs after which a child counts as hanging, seconds; 0: never.
    package var hang: Double
    /// A signal this soon after the first does not count as a second one, seconds.
    package var repetition: Double
    /// How long to wait for children that were killed, seconds: a process that waits for a disk
    /// does not end before the disk answers.
    package var linger: Double

    package init(
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
    /// The leader was sent SIGTERM; the others follow when it has ended, or at the deadline.
    case stoppingLeader(deadline: Double)
    /// The children were asked to leave; they are terminated at the deadline.
    case leaving(deadline: Double)
    /// The children were sent SIGTERM; they are killed at the deadline.
    case terminating(deadline: Double)
    /// The children were sent SIGKILL at `since`; the signal is repeated at the deadline.
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
    /// Whether no child has been asked to end.
    var isBeforeEnd: Bool { self == .running || isNoticing }
  }

  struct Child: Sendable, Equatable {
    enum State: Sendable, Equatable {
      case living
      /// Ended with success; the leader may be about to end too.
      case settling(deadline: Double)
      /// Ended; restarted at the deadline.
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
  /// Whether the leader ended with code 0: the run was completed, and not stopped.
  var hasLeaderSucceeded = false
  /// The user's first signal, sent to the launcher or to the leader itself.
  package internal(set) var stopSignal: Int32?
  /// The time of the user's first signal.
  var stoppedAt: Double?
  /// The child whose failure ended the run: the leader if it failed permanently, else the first
  /// child that failed permanently, else the first that failed. Restarted children do not count.
  package internal(set) var culprit: Culprit?

  package struct Culprit: Sendable, Equatable {
    package var index: Int
    package var exitCode: ExitCode
  }

  /// - Parameters:
  ///   - roles: of the started children, such as `worker`.
  ///   - leader: the child that ends the run, if there is one.
  ///   - now: when they were started, seconds on a monotonic clock.
  package init(
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

  /// Whether all children have ended and none will be restarted.
  package var isDone: Bool { children.allSatisfy { $0.state == .gone } }

  /// The group's exit code. A permanent failure (1…127) of any child takes precedence over its
  /// consequences, such as the coordinator's "a peer is lost".
  package var exitCode: ExitCode {
    if let culprit, culprit.exitCode.isPermanentFailure { return culprit.exitCode }
    if hasLeaderSucceeded { return .success }
    if let stopSignal { return .signal(stopSignal) }
    // After a child was lost to a signal that the user did not send, a retry may help.
    return culprit == nil ? .success : .transient
  }

  /// When `tick` has something to decide; nil for never. Hanging children are detected by
  /// additional ticks, at least one per ``Silence/longestStep``.
  package var nextDeadline: Double? {
    (children.map(\.state.deadline) + [stage.deadline]).compactMap { $0 }.min()
  }

  /// - Parameter now: seconds on a monotonic clock.
  package mutating func handle(_ event: Event, at now: Double) -> [Action] {
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
    children[index].restarts.recordStart()
    if let actions = endIfItFailsAgain(index, code, isOutOfMemory: isOutOfMemory, at: now) {
      return actions
    }
    if let actions = continueRun(without: index, code, at: now) { return actions }
    return end(because: index, code, at: now)
  }

  /// Changes the stage. Once the run is ending, no child is restarted.
  mutating func enter(_ stage: Stage) {
    self.stage = stage
    for index in children.indices where children[index].state != .living {
      children[index].state = .gone
    }
  }

  func isLiving(_ index: Int) -> Bool { children[index].state == .living }
}

/// Kills children that hang.
extension Supervision {
  /// Kills children without life signs for too long. Once the run is ending, deadlines do that.
  mutating func handleSilence(over step: Double) -> [Action] {
    guard limits.hang > 0, stage == .running else { return [] }
    return children.indices.compactMap { index in
      guard isLiving(index), children[index].silence.grow(by: step) >= limits.hang else {
        return nil
      }
      // A child that waits for a disk does not end at once; it is killed again after the same time.
      let silence = children[index].silence.duration
      children[index].silence.end()
      return .killHung(index: index, silence: silence)
    }
  }
}

/// The time since the last life sign of a child, as a value.
struct Silence: Sendable, Equatable {
  /// The most that counts between two ticks, seconds. If more time has passed, the launcher was
  /// stopped, and perhaps the child as well.
  static let longestStep = 2.0

  /// Seconds; 0 for a child that has never sent a life sign: it sends none, or has just started.
  private(set) var duration = 0.0
  private var isWatched = false
  private var hasSign = false

  /// A life sign arrived.
  mutating func end() {
    isWatched = true
    hasSign = true
  }

  /// Time passed. Returns the duration of the silence now.
  mutating func grow(by step: Double) -> Double {
    duration = hasSign || !isWatched ? 0 : duration + min(max(0, step), Self.longestStep)
    hasSign = false
    return duration
  }
}
