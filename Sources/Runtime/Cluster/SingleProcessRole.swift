import Configuration
import Coordinator
import Nodes
import ParameterServer
import Protocol
import Recommenders
import Tensors
import Transport
import Worker

/// A whole run in one process and on one thread: the nodes of coordinator, one server and one
/// worker are the same as in a cluster, connected by a queue instead of sockets. Only what waits
/// for disks runs on other threads: tables, checkpoints and the files of the best model.
///
/// The result has the bits of a cluster with the same shards. The cost of a cluster is measured
/// against this role, and it is the simplest one to debug.
package final class SingleProcessRole {
  private let recorder: RunRecorder
  private let observer: RunObserver
  private let deliveries: LocalDeliveries
  private let coordinatorProcess: LocalCoordinator
  private let serverProcess: LocalServer
  private let workerProcess: LocalWorker
  private let coordinator: CoordinatorNode<LocalCoordinator>
  private let server: ServerNode<LocalServer>
  private let worker: WorkerNode<LocalWorker>
  private let telemetry: TelemetryBoard?
  private var tickedAt = -Double.infinity

  /// - Parameters:
  ///   - pause: after how many epochs it stops and can be resumed; nil: it trains to its end.
  ///   - title: recorded with this start.
  ///   - telemetry: receives the counters of the process and of the run.
  ///   - observer: follows the run, for those who watch it.
  /// - Throws: errors with a sentence when the run cannot begin.
  package init(
    setup: RunSetup, directory: RunDirectory, runID: String, pausingAfter pause: Int? = nil,
    detail: ProgressDetail, title: RunTitle = RunTitle(), telemetry: TelemetryBoard? = nil,
    observer: RunObserver = RunObserver()
  ) throws {
    self.telemetry = telemetry
    try ProcessNeeds.singleProcess(lanes: Lanes.current.count)
      .check(.current(), for: "a run in one process")
    let state: CoordinatorState
    self.observer = observer
    (recorder, state) = try RunRecorder.open(
      directory: directory, setup: setup, runID: runID, pausingAfter: pause, detail: detail,
      observer: observer)
    recorder.isSingleProcess = true
    try directory.recordStart(title)
    deliveries = LocalDeliveries()
    coordinatorProcess = LocalCoordinator(recorder, setup: setup, deliveries: deliveries)
    serverProcess = LocalServer(deliveries)
    workerProcess = LocalWorker(setup: setup, deliveries: deliveries)
    coordinator = CoordinatorNode(state, tables: setup.model.tables, in: coordinatorProcess)
    let options = try NodeOptions(coordinator: CoordinatorAddress("ipc://in-this-process"))
    func hello(_ role: NodeRole, incarnation: UInt64) -> NodeHello {
      let endpoint = role == .server ? "in this process" : ""
      var hello = options.hello(role, dataEndpoint: endpoint)
      hello.incarnation = incarnation
      return hello
    }
    worker = WorkerNode(
      hello: hello(.worker, incarnation: 1), limits: .oneProcess,
      coordinator: .workerToCoordinator, in: workerProcess)
    server = ServerNode(
      hello: hello(.server, incarnation: 2), limits: .oneProcess,
      coordinator: .serverToCoordinator, in: serverProcess)
  }

  /// Runs to the end.
  package func run(signals: any StopSignals) throws -> RoleOutcome {
    defer { observer.awaitLastReader() }
    defer { serverProcess.endWriting() }
    do {
      return try runToEnd(signals)
    } catch {
      recorder.abandon(because: error)
      throw error
    }
  }

  private var parts: [TelemetryBoard.Part] {
    let snapshot = coordinator.state.snapshot
    return [
      TelemetryBoard.Part(
        "coordinator", recorder.metrics(snapshot), TelemetryBoard.Status(snapshot)),
      TelemetryBoard.Part(
        "server", ServerMetrics(server.session, checkpoints: serverProcess.checkpointStatistics),
        TelemetryBoard.Status(server.session)),
      TelemetryBoard.Part(
        "worker",
        WorkerMetrics(
          worker.session, examples: workerProcess.examples,
          taskProgress: workerProcess.taskProgress),
        TelemetryBoard.Status(worker.session)),
    ]
  }

  private func runToEnd(_ signals: any StopSignals) throws -> RoleOutcome {
    var stopSignal: Int32 = 2
    while deliveries.ending == nil {
      let now = MonotonicClock.seconds
      if now - tickedAt > 0.05 || deliveries.isEmpty {
        tickedAt = now
        if let signal = signals.next() {
          stopSignal = signal
          coordinator.stop(because: ExitCode.reason(ofSignal: signal))
        }
        coordinator.tick()
        worker.handle(.tick)
        server.handle(.tick)
        deliveries.takeInbox()
        telemetry?.turned()
        telemetry?.leave(at: now) { parts }
      }
      recorder.look(at: coordinator.state)
      // What these deliveries cause waits for the next round.
      for delivery in deliveries.takeAll() where deliveries.ending == nil { deliver(delivery) }
    }
    var result = try deliveries.ending?.get() ?? RoleOutcome(exitCode: .software, message: "")
    telemetry?.leaveLast(parts)
    try recorder.finish()
    if result.exitCode == .interrupted { result.exitCode = .signal(stopSignal) }
    return result
  }

  private func deliver(_ delivery: LocalDelivery) {
    switch delivery {
    case .toCoordinator(let message, let link):
      if coordinatorProcess.isOpen(link) { coordinator.received(message, from: link) }
    case .toServer(let message, let link): server.received(message, from: link)
    case .toWorker(let message, let link): worker.received(message, from: link)
    case .coordinatorReport(let report): coordinator.take(report)
    case .serverEvent(let event): server.handle(event)
    case .workerEvent(let event): worker.handle(event)
    }
  }
}
