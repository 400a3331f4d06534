public import Messages

/// A node's side of being a member of a run, as a value: it says hello until it is welcome, shows
/// signs of life, obeys one coordinator at a time, and notices when that has fallen silent.
///
/// Every start of a coordinator has a higher term; letters of lower terms than the highest heard of
/// are dropped, so that of two coordinators only the later one is obeyed. One that does not know
/// the node (it was started again, or gave the node up) asks for a hello; the node says what it
/// still has of the run.
public struct Enrollment: Sendable {
  /// How long a node waits for what, seconds.
  public struct Limits: Sendable {
    /// Between two hellos.
    public var helloInterval: Double = 1
    /// For a welcome. Processes start in any order, so this is long.
    public var joinTimeout: Double = 600
    /// How long the coordinator may be silent once the node is welcome; at least four of the run's
    /// heartbeat intervals are waited, because a healthy coordinator need not speak more often.
    public var silenceTimeout: Double = 60

    public init() {}

    /// Where coordinator and nodes are one process: silence means that it was stopped (a machine
    /// that slept, SIGSTOP) or computes, never that somebody is lost.
    public static let oneProcess: Limits = {
      var limits = Limits()
      limits.joinTimeout = .infinity
      limits.silenceTimeout = .infinity
      return limits
    }()
  }

  public enum Action: Sendable {
    case tell(NodeMessage)
    /// Send a heartbeat with what the process uses.
    case beat
    /// Take up the run, or a new generation of it.
    case begin(Welcome)
    /// The coordinator has sent its welcome again: if the node is ready, it does not know it.
    case welcomedAgain
    /// The coordinator says something that does not concern membership.
    case hear(CoordinatorMessage)
    case leave(Departure)
  }

  /// What the node has of the run, to be told to a coordinator that does not know it.
  public var holding: Holding? {
    get { hello.holding }
    set { hello.holding = newValue }
  }

  private var hello: NodeHello
  private let limits: Limits
  /// Of the current generation.
  public private(set) var welcome: Welcome?
  /// The highest heard of.
  public private(set) var term: UInt64 = 0
  /// The highest generation that the coordinator was heard to be in.
  public private(set) var newestGeneration: UInt64 = 0
  /// Whether the coordinator has yet to (re)admit the node.
  public private(set) var isCalling = true
  private var callingSince: Double
  private var clock: ListeningClock
  /// By ``clock``.
  private var heardAt = 0.0
  private var hasHeard = false
  private var helloAt = -Double.infinity
  private var beatAt = -Double.infinity
  /// Why the coordinator did not admit the node when it was asked last.
  private var lastRefusal: String?
  /// Of a coordinator that is not obeyed, because one of a higher term was heard of.
  private var lowerTerm: UInt64?
  private var joinNotices = WaitNotices()
  /// By ``clock``.
  private var silenceNotices = WaitNotices()

  public init(hello: NodeHello, limits: Limits = Limits(), at now: Double) {
    self.hello = hello
    self.limits = limits
    callingSince = now
    clock = ListeningClock(timeout: limits.silenceTimeout)
    clock.look(at: now, isBehind: nil)
  }

  /// Takes in what the coordinator says.
  public mutating func handle(_ letter: CoordinatorLetter, at now: Double) -> [Action] {
    clock.look(at: now, isBehind: nil)
    guard letter.term >= term else {
      lowerTerm = letter.term
      return []
    }
    term = letter.term
    lowerTerm = nil
    heardAt = clock.seconds
    hasHeard = true
    switch letter.message {
    case .welcome(let welcome): return take(welcome)
    case .refused(let refusal): return handle(refusal, at: now)
    case .finish(let reason, let ending):
      switch ending {
      case .orderly: return [.leave(.finished(reason))]
      case .transientFailure: return [.leave(.transient(reason))]
      case .permanentFailure: return [.leave(.permanent(reason))]
      }
    case .heartbeatSeen(let generation):
      newestGeneration = max(newestGeneration, generation)
      return []
    case .servers, .task, .hold, .checkpoint, .checkpointSeen: return [.hear(letter.message)]
    }
  }

  private mutating func take(_ welcome: Welcome) -> [Action] {
    guard let current = self.welcome else {
      isCalling = false
      self.welcome = welcome
      // Whoever may answer at this address later: no other run is meant.
      hello.runID = welcome.runID
      return [.begin(welcome)]
    }
    guard welcome.generation >= current.generation else { return [] }
    isCalling = false
    let isNew = welcome.generation > current.generation
    self.welcome = welcome
    return isNew ? [.begin(welcome)] : [.welcomedAgain]
  }

  private mutating func handle(_ refusal: Refusal, at now: Double) -> [Action] {
    switch refusal.code {
    case .notReady, .clusterFull:
      lastRefusal = refusal.message
      // Asked again with the next hello: the coordinator may be about to give up the process that
      // this one replaces.
      return []
    case .helloNeeded: return callAgain(at: now)
    default:
      return [.leave(.permanent(refusal.message))]
    }
  }

  /// Asks to be admitted once more: the coordinator does not count the node among its own (any
  /// more).
  public mutating func callAgain(at now: Double) -> [Action] {
    if !isCalling {
      isCalling = true
      callingSince = now
      helloAt = -.infinity
    }
    return tick(at: now)
  }

  /// What the passing of time asks for.
  public mutating func tick(at now: Double) -> [Action] {
    clock.look(at: now, isBehind: nil)
    if let silence = silence(at: now) { return [.leave(.transient(silence))] }
    if isCalling {
      guard now - helloAt >= limits.helloInterval else { return [] }
      helloAt = now
      return [.tell(.hello(hello))]
    }
    guard let welcome, now - beatAt >= welcome.heartbeatInterval else { return [] }
    beatAt = now
    return [.beat]
  }

  /// What the node waits for, for how long so far and at most, when it is time to tell people.
  public mutating func waitNotice(at now: Double) -> String? {
    if isCalling {
      // Within one process nobody is waited for.
      guard limits.joinTimeout.isFinite,
        joinNotices.isDue(since: callingSince, threshold: WaitNotices.first, at: now)
      else { return nil }
      let what =
        hasHeard
        ? "the coordinator to admit this process (it says: \(lastRefusal ?? "nothing"))"
        : "the coordinator to answer"
      return Self.notice(of: what, since: callingSince, limit: limits.joinTimeout, at: now)
        + stranger
    }
    guard let welcome, limits.silenceTimeout.isFinite else { return nil }
    let timeout = silenceTimeout(welcome)
    // One that beats rarely is not silent yet.
    let threshold = max(WaitNotices.first, 2 * welcome.heartbeatInterval)
    guard threshold < timeout,
      silenceNotices.isDue(since: heardAt, threshold: threshold, at: clock.seconds)
    else { return nil }
    return Self.notice(
      of: "a message from the coordinator", since: heardAt, limit: timeout, at: clock.seconds)
      + stranger
  }

  private static func notice(
    of what: String, since: Double, limit: Double, at now: Double
  ) -> String {
    "waiting for \(what), for \(Int(now - since)) s so far; after \(Int(limit)) s this process "
      + "ends with code 138"
  }

  /// What may be the matter when somebody else answers.
  private var stranger: String {
    guard let lowerTerm else { return "" }
    return ". A coordinator of term \(lowerTerm) answers, and one of term \(term) was obeyed: its "
      + "run directory may have been put back to an older state"
  }

  private func silenceTimeout(_ welcome: Welcome) -> Double {
    max(limits.silenceTimeout, 4 * welcome.heartbeatInterval)
  }

  /// What is to be said when nothing was heard, or no admission came, for too long.
  private func silence(at now: Double) -> String? {
    if isCalling, now - callingSince > limits.joinTimeout {
      let problem = hasHeard ? "admitted this process" : "answered"
      let advice =
        hasHeard
        ? "Check that it wants more processes of this kind." : "Check its address and that it runs."
      return "Cannot join a run: the coordinator has not \(problem) for "
        + "\(Int(limits.joinTimeout)) s. \(advice)"
    }
    guard let welcome else { return nil }
    let timeout = silenceTimeout(welcome)
    guard clock.seconds - heardAt > timeout else { return nil }
    return "Lost the coordinator: nothing was heard for \(timeout.rounded()) s. "
      + "Start this process again when the coordinator is back\(stranger)."
  }
}

/// Why a node leaves a run.
public enum Departure: Sendable, Equatable {
  /// The run is over, or a stop was asked for.
  case finished(String)
  /// Starting again can help: a peer was lost.
  case transient(String)
  /// Starting again cannot help.
  case permanent(String)
}
