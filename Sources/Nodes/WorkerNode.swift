import Protocol
import Worker

/// What a ``WorkerNode`` needs of its process.
///
/// Jobs run one after the other, in the order of the calls: see
/// ``TaskComputation``. Their results come back through ``WorkerNode/handle(_:)``.
package protocol WorkerEnvironment: MemberEnvironment, ConnectingEnvironment {
  /// How much of the present task is done, in steps or blocks.
  var taskProgress: UInt64 { get }

  /// Job: `WorkerAction.setUp`.
  func setUp(_ welcome: Welcome)

  /// Job: `WorkerAction.begin`.
  func begin(_ task: WorkerTask)

  /// Job: `WorkerAction.advance`.
  func advance(_ task: UInt64, _ input: WorkInput)

  /// The worker has left the run.
  func end(_ ending: WorkerEnding)
}

/// How a worker ends.
package enum WorkerEnding {
  case left(Departure)
  /// It cannot connect to the servers, and a retry will not help.
  case cannotConnect(String)
}

/// A worker: reads messages, connects to the servers, and carries out what ``WorkerSession``
/// decides.
package final class WorkerNode<Environment: WorkerEnvironment> {
  package typealias Peer = Environment.Peer

  package private(set) var session: WorkerSession
  private unowned let environment: Environment
  private let coordinator: Peer
  private var endpoints: [String] = []
  /// Connections to servers, by rank.
  private var servers: [Peer] = []
  /// Second connections to servers, by rank, for probes: whether a server can be reached at all.
  /// They stay open for the next probe.
  private var probes: [Int: Peer] = [:]
  /// The rank of the server at the other end of a connection.
  private var ranks: [Peer: Int] = [:]

  /// - Parameter coordinator: the connection to the coordinator.
  package init(
    hello: NodeHello, limits: NodeMembership.Limits = .init(), coordinator: Peer,
    in environment: Environment
  ) {
    session = WorkerSession(hello: hello, limits: limits, at: environment.now)
    self.coordinator = coordinator
    self.environment = environment
  }

  // MARK: Inputs

  package func received(_ message: Environment.Message, from peer: Peer) {
    do {
      if let rank = ranks[peer] {
        handle(.reply(try message.dataReply(), server: rank))
      } else if peer == coordinator {
        handle(.coordinator(try message.coordinatorEnvelope()))
      }
      // Anything else is a late message of a server of an earlier generation.
    } catch {
      environment.recordMalformedMessage("\(error)")
    }
  }

  /// Time, a signal, or the result of a job.
  package func handle(_ event: WorkerEvent) {
    for action in session.handle(event, at: environment.now) { perform(action) }
  }

  // MARK: Actions

  private func perform(_ action: WorkerAction) {
    switch action {
    case .send(let message): environment.sendToCoordinator(message)
    case .sendHeartbeat(let generation, let task):
      let heartbeat = Heartbeat(
        environment.usage(), taskProgress: task == 0 ? 0 : environment.taskProgress, taskID: task,
        generation: generation)
      environment.sendToCoordinator(.heartbeat(heartbeat))
    case .setUp(let welcome):
      environment.log(
        .info, "worker \(welcome.rank) of run \(welcome.runID), generation \(welcome.generation)")
      environment.setUp(welcome)
    case .connect(let endpoints): connect(to: endpoints)
    case .request(let request, let server):
      // Without connections one of them was refused, and the worker is about to end.
      if servers.indices.contains(server) { environment.send(request, to: servers[server]) }
    case .probe(let request, let server): probe(server, with: request)
    case .warn(let warning): environment.log(.warning, warning)
    case .begin(let task): environment.begin(task)
    case .advance(let task, let input): environment.advance(task, input)
    case .leave(let departure): environment.end(.left(departure))
    }
  }

  private func connect(to endpoints: [String]) {
    closeServers()
    self.endpoints = endpoints
    do {
      for endpoint in endpoints {
        let peer = try environment.connect(to: endpoint)
        ranks[peer] = servers.count
        servers.append(peer)
      }
    } catch {
      let message = "Cannot connect to server \(servers.count): \(error)"
      closeServers()
      environment.sendToCoordinator(.goodbye(reason: message))
      let isPassing = environment.isPassingShortage(error)
      environment.end(isPassing ? .left(.transient(message)) : .cannotConnect(message))
    }
  }

  private func closeServers() {
    for peer in ranks.keys { environment.close(peer) }
    servers = []
    probes = [:]
    ranks = [:]
  }

  private func probe(_ server: Int, with request: DataRequest) {
    guard servers.indices.contains(server) else { return }
    do {
      let peer = try probes[server] ?? environment.connect(to: endpoints[server])
      probes[server] = peer
      ranks[peer] = server
      environment.send(request, to: peer)
    } catch {
      environment.log(.warning, "cannot check whether server \(server) is reachable: \(error)")
    }
  }
}
