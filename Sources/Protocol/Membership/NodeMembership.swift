/// A node's membership in a run, as a state machine. It sends a hello until it is welcomed, sends
/// heartbeats, obeys one coordinator at a time, and detects that the coordinator is silent.
///
/// Every start of a coordinator has a higher term. Messages of lower terms than the highest known
/// one are dropped, so that of two coordinators only the later one is obeyed. A coordinator that
/// does not know the node (it was restarted, or has removed the node) asks for a hello; the hello
/// reports what the node still has of the run.
package struct NodeMembership: Sendable {
  /// Intervals and timeouts, in seconds.
  package struct Limits: Sendable {
    /// Time between two hellos.
    package var helloInterval: Double = 1
    /// How long to wait for a welcome. Processes start in any order, so this is long.
    package var joinTimeout: Double = 600
    /// How long the coordinator of a member may be silent. At least four heartbeat intervals are
    /// allowed, because a healthy coordinator only answers heartbeats.
    package var silenceTimeout: Double = 60

    package init() {}

    /// No timeouts, for coordinator and nodes in one process: silence means that the process was
    /// stopped (a machine that slept, SIGSTOP) or computes, never that a member is lost.
    package static let oneProcess: Limits = {
      var limits = Limits()
      limits.joinTimeout = .infinity
      limits.silenceTimeout = .infinity
      return limits
    }()
  }

  package enum Action: Sendable {
    case send(NodeMessage)
    /// Send a heartbeat with the process's use of resources.
    case sendHeartbeat
    /// Begin the run or a new generation of it.
    case begin(Welcome)
    /// The coordinator has repeated its welcome: it does not know that the node is ready, if it is.
    case welcomeRepeated
    /// A message of the coordinator that does not concern membership.
    case deliver(CoordinatorMessage)
    case leave(Departure)
  }

  /// What the node has of the run, for a coordinator that does not know the node.
  package var holding: HeldState? {
    get { hello.holding }
    set { hello.holding = newValue }
  }

  private var hello: NodeHello
  private let limits: Limits
  /// The welcome of the current generation.
  package private(set) var welcome: Welcome?
  /// The highest known term.
  package private(set) var term: UInt64 = 0
  /// The highest generation in a message of the coordinator.
  package private(set) var newestGeneration: UInt64 = 0
  /// Whether the node waits for the coordinator to admit it, or to admit it again.
  package private(set) var isJoining = true
  private var joiningSince: Double
  private var clock: ListeningClock
  /// The time of the last message by ``clock``.
  private var receivedAt = 0.0
  private var hasReceived = false
  private var helloAt = -Double.infinity
  private var heartbeatAt = -Double.infinity
  /// Why the coordinator did not answer the last hello with a welcome.
  private var lastRefusal: String?
  /// The term of a coordinator that is ignored because a higher term is known.
  private var lowerTerm: UInt64?
  private var joinNotices = WaitNotices()
  /// In times of ``clock``.
  private var silenceNotices = WaitNotices()

  package init(hello: NodeHello, limits: Limits = Limits(), at now: Double) {
    self.hello = hello
    self.limits = limits
    joiningSince = now
    clock = ListeningClock(timeout: limits.silenceTimeout)
    clock.look(at: now, isBehind: nil)
  }

  /// Handles a message of the coordinator.
  package mutating func handle(_ envelope: CoordinatorEnvelope, at now: Double) -> [Action] {
    clock.look(at: now, isBehind: nil)
    if case .inspect = envelope.message {
      // A coordinator that has lost its records knows no term: it lives, and has no order to give.
      receivedAt = clock.seconds
      hasReceived = true
      return []
    }
    guard envelope.term >= term else {
      lowerTerm = envelope.term
      return []
    }
    term = envelope.term
    lowerTerm = nil
    receivedAt = clock.seconds
    hasReceived = true
    switch envelope.message {
    case .welcome(let welcome): return handle(welcome)
    case .refused(let refusal): return handle(refusal, at: now)
    case .finish(let reason, let ending):
      switch ending {
      case .orderly, .stopped: return [.leave(.finished(reason))]
      case .transientFailure: return [.leave(.transient(reason))]
      case .permanentFailure: return [.leave(.permanent(reason))]
      }
    case .heartbeatAcknowledged(let generation):
      newestGeneration = max(newestGeneration, generation)
      return []
    case .servers, .task, .hold, .checkpoint, .checkpointAcknowledged, .checkpointCommitted,
      .inspect:
      return [.deliver(envelope.message)]
    }
  }

  private mutating func handle(_ welcome: Welcome) -> [Action] {
    guard let current = self.welcome else {
      isJoining = false
      self.welcome = welcome
      // From now on the node joins no other run, even if one answers at this address later.
      hello.runID = welcome.runID
      return [.begin(welcome)]
    }
    guard welcome.generation >= current.generation else { return [] }
    isJoining = false
    let isNew = welcome.generation > current.generation
    self.welcome = welcome
    return isNew ? [.begin(welcome)] : [.welcomeRepeated]
  }

  private mutating func handle(_ refusal: Refusal, at now: Double) -> [Action] {
    switch refusal.code {
    case .notReady, .clusterFull:
      lastRefusal = refusal.message
      // Retried with the next hello: the coordinator may be about to remove the process that this
      // one replaces.
      return []
    case .helloNeeded: return rejoin(at: now)
    default:
      return [.leave(.permanent(refusal.message))]
    }
  }

  /// Asks to be admitted again: the node is not a member (any more).
  package mutating func rejoin(at now: Double) -> [Action] {
    if !isJoining {
      isJoining = true
      joiningSince = now
      helloAt = -.infinity
    }
    return tick(at: now)
  }

  /// Sends hellos or heartbeats when they are due, and leaves after a timeout.
  package mutating func tick(at now: Double) -> [Action] {
    clock.look(at: now, isBehind: nil)
    if let problem = timeoutProblem(at: now) { return [.leave(.transient(problem))] }
    if isJoining {
      guard now - helloAt >= limits.helloInterval else { return [] }
      helloAt = now
      return [.send(.hello(hello))]
    }
    guard let welcome, now - heartbeatAt >= welcome.heartbeatInterval else { return [] }
    heartbeatAt = now
    return [.sendHeartbeat]
  }

  /// A log line about what the node waits for, how long so far, and how long at most; nil if none
  /// is due.
  package mutating func waitNotice(at now: Double) -> String? {
    if isJoining {
      // Without a timeout, coordinator and nodes are one process.
      guard limits.joinTimeout.isFinite,
        joinNotices.isDue(since: joiningSince, threshold: WaitNotices.first, at: now)
      else { return nil }
      let what =
        hasReceived
        ? "the coordinator to admit this process (its answer: \(lastRefusal ?? "none"))"
        : "the coordinator to answer"
      return Self.notice(of: what, since: joiningSince, limit: limits.joinTimeout, at: now)
        + lowerTermNote
    }
    guard let welcome, limits.silenceTimeout.isFinite else { return nil }
    let timeout = silenceTimeout(welcome)
    // With a long heartbeat interval, the coordinator answers rarely.
    let threshold = max(WaitNotices.first, 2 * welcome.heartbeatInterval)
    guard threshold < timeout,
      silenceNotices.isDue(since: receivedAt, threshold: threshold, at: clock.seconds)
    else { return nil }
    return Self.notice(
      of: "a message from the coordinator", since: receivedAt, limit: timeout, at: clock.seconds)
      + lowerTermNote
  }

  private static func notice(
    of what: String, since: Double, limit: Double, at now: Double
  ) -> String {
    "waiting for \(what), for \(Int(now - since)) s so far; after \(Int(limit)) s this process "
      + "ends with code 138"
  }

  /// A possible cause when a coordinator of a lower term answers.
  private var lowerTermNote: String {
    guard let lowerTerm else { return "" }
    return ". A coordinator of term \(lowerTerm) answers, but this process has followed one of "
      + "term \(term): the run directory may have been restored to an older state"
  }

  private func silenceTimeout(_ welcome: Welcome) -> Double {
    max(limits.silenceTimeout, 4 * welcome.heartbeatInterval)
  }

  /// A sentence about the timeout that has passed; nil if none has.
  private func timeoutProblem(at now: Double) -> String? {
    if isJoining, now - joiningSince > limits.joinTimeout {
      let problem = hasReceived ? "admitted this process" : "answered"
      let advice =
        hasReceived
        ? "Check that it needs more processes of this kind."
        : "Check its address and that it is running."
      return "Cannot join a run: the coordinator has not \(problem) for "
        + "\(Int(limits.joinTimeout)) s. \(advice)"
    }
    guard let welcome else { return nil }
    let timeout = silenceTimeout(welcome)
    guard clock.seconds - receivedAt > timeout else { return nil }
    return "Lost the coordinator: no message came for \(timeout.rounded()) s. "
      + "Start this process again when the coordinator is back\(lowerTermNote)."
  }
}

/// Why a node leaves a run.
package enum Departure: Sendable, Equatable {
  /// The run has ended, or a stop was requested.
  case finished(String)
  /// A restart can help: a peer was lost.
  case transient(String)
  /// A restart cannot help.
  case permanent(String)
}

/// Decides when to report that a process waits: soon after the wait begins, then rarely.
package struct WaitNotices: Sendable, Equatable {
  /// Seconds of waiting before the first notice.
  package static let first = 10.0
  /// Seconds from one notice to the next.
  private static let interval = 60.0

  private var lastAt: Double?

  package init() {}

  /// Whether a notice is due about a wait that began at `since`, at first `threshold` seconds
  /// after that.
  package mutating func isDue(since: Double, threshold: Double, at now: Double) -> Bool {
    if let lastAt, lastAt >= since {
      guard now - lastAt >= Self.interval else { return false }
    } else {
      guard now - since >= threshold else { return false }
    }
    lastAt = now
    return true
  }
}
