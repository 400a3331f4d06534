import Nodes
import Protocol
import Tables
import Worker

/// A worker with the real computation, which takes virtual time.
package final class SimulatedWorker: SimulatedMember, WorkerEnvironment {
  private(set) lazy var node = WorkerNode(
    hello: hello, coordinator: .toCoordinator(of: name), in: self)
  private let computation: TaskComputation
  /// When the computation will have finished all jobs so far.
  private var busyUntil = 0.0
  /// The version that each request asked for, by the number of the request.
  private var askedVersions: [UInt64: UInt64] = [:]

  init(_ name: ProcessName, incarnation: UInt64, in cluster: SimulatedCluster) {
    let problem = cluster.problem
    computation = TaskComputation(
      makeEngine: { problem.engine(serverCount: Int($0.serverCount)) },
      timeouts: { _ in WorkerTimeouts(node: SimulationProblem.nodeTimeout) })
    super.init(name, .worker, incarnation: incarnation, in: cluster)
  }

  override func handle(_ input: Input) {
    switch input {
    case .message(let message, let connection):
      if case .reply(let reply) = message { checkStaleness(reply) }
      node.received(message, from: connection)
    case .start, .tick: node.handle(.tick)
    case .stop: node.handle(.stopRequested)
    case .job: break
    }
  }

  private func checkStaleness(_ reply: DataReply) {
    guard case .pulled(let pulled) = reply.body, let asked = askedVersions[reply.requestID],
      asked > pulled.version
    else { return }
    cluster.count(.staleRows)
    if let bound = cluster.problem.consistency.bound, asked - pulled.version > bound {
      cluster.report("\(name) got rows of version \(pulled.version) for version \(asked)")
    }
  }

  // MARK: Environment

  package override func sendToCoordinator(_ message: NodeMessage) {
    // A worker that was not asked to leave sends a goodbye only if it cannot reach a server.
    if case .goodbye(let reason) = message, reason.hasPrefix("it cannot reach server") {
      cluster.count(.steppedDown)
    }
    super.sendToCoordinator(message)
  }

  package func send(_ request: DataRequest, to peer: ConnectionName) {
    if case .pull(let pull) = request.body { askedVersions[request.id] = pull.version }
    send(.request(request), on: peer)
  }

  package var taskProgress: UInt64 { computation.progress }

  package func setUp(_ welcome: Welcome) {
    compute(cluster.jobSeconds(slow: 2)) { $0.setUp(welcome) }
  }

  package func begin(_ task: WorkerTask) { compute(cluster.stepSeconds()) { $0.begin(task) } }

  package func advance(_ task: UInt64, _ input: WorkInput) {
    compute(cluster.stepSeconds()) { $0.advance(task, input) }
  }

  /// Jobs run one after the other, as on a queue.
  private func compute(_ seconds: Double, _ job: @escaping (TaskComputation) -> WorkerEvent) {
    busyUntil = max(busyUntil, now) + seconds
    later(busyUntil - now) { [self] in
      node.handle(job(computation))
      computation.prepare()
    }
  }

  package func end(_ ending: WorkerEnding) {
    guard mayAct() else { return }
    switch ending {
    case .left(let departure): cluster.left(name, departure)
    case .cannotConnect(let message): cluster.left(name, .permanent(message))
    }
  }
}
