import Messages

/// What travels between processes.
enum Parcel: Sendable {
  case fromNode(NodeMessage)
  case fromCoordinator(CoordinatorLetter)
  /// With the connection on which the answer is wanted.
  case request(DataRequest, connection: ConnectionName)
  case reply(DataReply, connection: ConnectionName)
}

extension Parcel {
  /// Whether the coordinator has sent it or gets it.
  var isControl: Bool {
    switch self {
    case .fromNode, .fromCoordinator: true
    case .request, .reply: false
    }
  }
}

extension Parcel: CustomStringConvertible {
  var description: String {
    switch self {
    case .fromNode(let message): "\(message)"
    case .fromCoordinator(let letter):
      if case .welcome(let welcome) = letter.message {
        "welcome to generation \(welcome.generation), rank \(welcome.rank), term \(letter.term)"
      } else {
        "term \(letter.term) \(letter.message)"
      }
    case .request(let request, _): "request \(request.id) \(Self.brief(request.body))"
    case .reply(let reply, _): "reply \(reply.requestID) \(Self.brief(reply.body))"
    }
  }

  private static func brief(_ body: DataRequestBody) -> String {
    switch body {
    case .hello(let hello): "hello of generation \(hello.generation)"
    case .pull(let pull):
      "pull \(pull.version) of generation \(pull.generation), confirming \(pull.confirmed)"
    case .push(let push): "push \(push.kind) \(push.name)"
    case .reduce(let reduce): "reduce \(reduce.name)"
    }
  }

  private static func brief(_ body: DataReplyBody) -> String {
    switch body {
    case .welcome: "welcome"
    case .pulled(let pulled): "pulled \(pulled.version)"
    case .pushed(let outcome): "pushed \(outcome)"
    case .reduced: "reduced"
    case .refused(let refusal): "refused \(refusal)"
    }
  }
}

/// A connection of a process to a server; a new one for every generation.
struct ConnectionName: Hashable, Sendable {
  let owner: ProcessName
  let number: Int
  let server: Int
}

/// A process of the cluster: a production state machine and a shell that has no thread, no socket
/// and no disk of its own.
protocol SimulatedProcess: AnyObject {
  var name: ProcessName { get }

  func started(in cluster: SimulatedCluster)
  func received(_ parcel: Parcel, from sender: ProcessName, in cluster: SimulatedCluster)
  func ticked(in cluster: SimulatedCluster)
  /// SIGTERM.
  func askedToStop(in cluster: SimulatedCluster)
  /// What is wrong with its state, in sentences.
  var brokenInvariants: [String] { get }
}

extension ProcessName {
  /// What a hello calls the process: those that are started later have greater numbers, unless the
  /// clock was set back in between.
  func incarnation(isClockSetBack: Bool) -> UInt64 {
    let place: UInt64 =
      switch slot {
      case .coordinator: 0
      case .server(let number): 1000 + UInt64(number)
      case .worker(let number): 2000 + UInt64(number)
      }
    let noon: UInt64 = 1 << 31
    return place << 32 | (isClockSetBack ? noon - UInt64(life + 1) : noon + UInt64(life))
  }
}
