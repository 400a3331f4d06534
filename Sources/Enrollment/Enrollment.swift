public import Messages

/// A node's side of being a member of a run, as a value: it says hello until it is welcome, shows
/// signs of life, and notices when the coordinator has fallen silent.
public struct Enrollment: Sendable {
  /// How long a node waits for what, seconds.
  public struct Limits: Sendable {
    /// Between two hellos.
    public var helloInterval: Double = 1
    /// For an answer to the first hello. Processes start in any order, so this is long.
    public var joinTimeout: Double = 600
    /// How long the coordinator may be silent once the node is welcome; at least four of the run's
    /// heartbeat intervals are waited, because a healthy coordinator need not speak more often.
    public var silenceTimeout: Double = 60

    public init() {}
  }

  public enum Action: Sendable {
    case tell(NodeMessage)
    /// Send a heartbeat with what the process uses.
    case beat
    /// Take up the run: the first welcome has come.
    case begin(Welcome)
    /// The coordinator has sent its welcome again: if the node is ready, it does not know it yet.
    case welcomedAgain
    case leave(Departure)
  }

  private let hello: NodeHello
  private let limits: Limits
  public private(set) var welcome: Welcome?
  private let startedAt: Double
  private var heardAt: Double
  private var helloAt = -Double.infinity
  private var beatAt = -Double.infinity

  public init(hello: NodeHello, limits: Limits = Limits(), at now: Double) {
    self.hello = hello
    self.limits = limits
    startedAt = now
    heardAt = now
  }

  /// Takes in what concerns membership; other messages only count as a sign of life.
  public mutating func handle(_ message: CoordinatorMessage, at now: Double) -> [Action] {
    heardAt = now
    switch message {
    case .welcome(let welcome):
      guard self.welcome == nil else { return [.welcomedAgain] }
      self.welcome = welcome
      return [.begin(welcome)]
    case .finish(let reason, let ending):
      switch ending {
      case .orderly: return [.leave(.finished(reason))]
      case .transientFailure: return [.leave(.transient(reason))]
      case .permanentFailure: return [.leave(.permanent(reason))]
      }
    case .refused(let refusal):
      // A coordinator that is not ready is asked again with the next hello.
      return refusal.code == .notReady ? [] : [.leave(.permanent(refusal.message))]
    case .servers, .task, .heartbeatSeen:
      return []
    }
  }

  /// What the passing of time asks for.
  public mutating func tick(at now: Double) -> [Action] {
    guard let welcome else {
      if now - startedAt > limits.joinTimeout {
        return [
          .leave(
            .transient(
              "Cannot join a run: the coordinator has not answered for "
                + "\(Int(limits.joinTimeout)) s. Check its address and that it runs."))
        ]
      }
      guard now - helloAt >= limits.helloInterval else { return [] }
      helloAt = now
      return [.tell(.hello(hello))]
    }
    let silenceTimeout = max(limits.silenceTimeout, 4 * welcome.heartbeatInterval)
    if now - heardAt > silenceTimeout {
      return [
        .leave(
          .transient(
            "Lost the coordinator: nothing was heard for \(silenceTimeout.rounded()) s. "
              + "Start this process again when the coordinator is back."))
      ]
    }
    guard now - beatAt >= welcome.heartbeatInterval else { return [] }
    beatAt = now
    return [.beat]
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
