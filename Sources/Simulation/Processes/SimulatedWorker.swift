import Enrollment
import Messages
import Tables
import Training

/// The shell of a ``WorkerSession`` with the real computation.
final class SimulatedWorker: SimulatedProcess {
  let name: ProcessName
  private var session: WorkerSession
  private var engine: WorkerEngine?
  private var work: (any Work)?
  /// By server; nil before the first.
  private var connections: [ConnectionName] = []
  /// Connections beside, by server.
  private var probes: [Int: ConnectionName] = [:]
  private var endpoints: [String] = []
  private var nextConnection = 0
  /// When the computation has done what was asked of it so far.
  private var busyUntil = 0.0
  /// What it asked for, by the number of the request.
  private var askedVersions: [UInt64: UInt64] = [:]

  init(_ name: ProcessName, incarnation: UInt64, at now: Double) {
    self.name = name
    session = WorkerSession(
      hello: NodeHello(
        role: .worker, incarnation: incarnation, runID: "", dataEndpoint: "",
        host: "simulated", processID: UInt32(name.life), name: "\(name.slot)"),
      at: now)
  }

  var brokenInvariants: [String] { [] }

  func started(in cluster: SimulatedCluster) { ticked(in: cluster) }

  func received(_ parcel: Parcel, from sender: ProcessName, in cluster: SimulatedCluster) {
    switch parcel {
    case .fromCoordinator(let letter): handle(.coordinator(letter), in: cluster)
    case .reply(let reply, let connection):
      guard connections.contains(connection) || probes.values.contains(connection) else { return }
      checkStaleness(reply, in: cluster)
      handle(.reply(reply, server: connection.server), in: cluster)
    case .fromNode, .request: break
    }
  }

  func ticked(in cluster: SimulatedCluster) { handle(.tick, in: cluster) }

  func askedToStop(in cluster: SimulatedCluster) { handle(.stopRequested, in: cluster) }

  private func handle(_ event: WorkerEvent, in cluster: SimulatedCluster) {
    let actions = session.handle(event, at: cluster.now)
    cluster.perform(actions, of: name) { [self] in perform($0, in: cluster) }
  }

  private func perform(_ action: WorkerAction, in cluster: SimulatedCluster) {
    switch action {
    case .tell(let message): cluster.send(.fromNode(message), from: name, to: .coordinator)
    case .beat(let generation, let task):
      let heartbeat = Heartbeat(
        residentBytes: 0, peakResidentBytes: 0, cpuSeconds: 0,
        taskProgress: task == 0 ? 0 : work?.progress ?? 0, taskID: task, generation: generation)
      cluster.send(.fromNode(.heartbeat(heartbeat)), from: name, to: .coordinator)
    case .setUp(let welcome):
      compute(cluster.jobSeconds(slow: 2), in: cluster) { [self] in
        if let engine {
          engine.enter(serverCount: Int(welcome.serverCount))
        } else {
          engine = cluster.problem.engine(serverCount: Int(welcome.serverCount))
        }
        return .setUp(
          generation: welcome.generation,
          WorkerTimeouts(node: SimulationProblem.nodeTimeout))
      }
    case .connect(let endpoints):
      self.endpoints = endpoints
      connections = endpoints.indices.map { connection(to: $0) }
      probes = [:]
    case .request(let request, let server):
      if case .pull(let pull) = request.body { askedVersions[request.id] = pull.version }
      cluster.send(
        .request(request, connection: connections[server]), from: name,
        toEndpoint: endpoints[server])
    case .probe(let request, let server):
      let probe = probes[server] ?? connection(to: server)
      probes[server] = probe
      cluster.send(
        .request(request, connection: probe), from: name, toEndpoint: endpoints[server])
    case .warn(let warning):
      cluster.note("\(name) warns: \(warning)")
      cluster.count(.steppedDown)
    case .begin(let task):
      compute(cluster.stepSeconds(), in: cluster) { [self] in
        advance(task.id, .begin) { work = try engine?.work(for: task) }
      }
    case .advance(let task, let input):
      compute(cluster.stepSeconds(), in: cluster) { [self] in advance(task, input) {} }
    case .leave(let departure): cluster.left(name, departure)
    }
  }

  /// A new one.
  private func connection(to server: Int) -> ConnectionName {
    nextConnection += 1
    return ConnectionName(owner: name, number: nextConnection, server: server)
  }

  private func checkStaleness(_ reply: DataReply, in cluster: SimulatedCluster) {
    guard case .pulled(let pulled) = reply.body, let asked = askedVersions[reply.requestID],
      asked > pulled.version
    else { return }
    cluster.count(.staleRows)
    if let bound = cluster.problem.consistency.bound, asked - pulled.version > bound {
      cluster.report("\(name) got rows of version \(pulled.version) for version \(asked)")
    }
  }

  /// Jobs run one after the other, as on a queue.
  private func compute(
    _ seconds: Double, in cluster: SimulatedCluster, _ job: @escaping () -> WorkerEvent
  ) {
    busyUntil = max(busyUntil, cluster.now) + seconds
    cluster.later(busyUntil - cluster.now, name) { [self] in handle(job(), in: cluster) }
  }

  private func advance(
    _ task: UInt64, _ input: WorkInput, after prepare: () throws -> Void
  ) -> WorkerEvent {
    do {
      try prepare()
      guard let work else { throw TrainingError("No task is under way.") }
      return .advanced(task: task, try work.advance(input))
    } catch {
      work = nil
      return .taskFailed(task: task, TaskFailure(describing: error))
    }
  }
}
