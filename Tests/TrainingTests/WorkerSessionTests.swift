import Enrollment
import Messages
import Testing
import Training

@Suite struct WorkerSessionTests {
  private static let welcome = CoordinatorMessage.welcome(
    Welcome(
      runID: "run", generation: 1, rank: 0, configuration: "", tables: [], seed: 1, shardCount: 1,
      stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: 1))
  private static let servers = CoordinatorMessage.servers(
    generation: 1, endpoints: ["tcp://a:1"])

  private func task(_ id: UInt64) -> WorkerEvent {
    .coordinator(.task(WorkerTask(id: id, body: .rank(version: 1, epoch: 0, blocks: [0]))))
  }

  private func told(_ actions: [WorkerAction]) -> [NodeMessage] {
    actions.compactMap { if case .tell(let message) = $0 { message } else { nil } }
  }

  private func begun(_ actions: [WorkerAction]) -> [UInt64] {
    actions.compactMap { if case .begin(let task) = $0 { task.id } else { nil } }
  }

  private func beats(_ actions: [WorkerAction]) -> [UInt64] {
    actions.compactMap { if case .beat(let task) = $0 { task } else { nil } }
  }

  /// A worker that has joined, met its server and said that it is ready.
  private func readyWorker() throws -> WorkerSession {
    let hello = NodeHello(
      role: .worker, incarnation: 7, runID: "", dataEndpoint: "", host: "here", processID: 1)
    var worker = WorkerSession(hello: hello, at: 0)
    _ = worker.handle(.coordinator(Self.welcome), at: 0)
    _ = worker.handle(.setUp, at: 0)
    let greetings = worker.handle(.coordinator(Self.servers), at: 0)
    let id = try #require(
      greetings.compactMap {
        if case .request(let request, _) = $0 { request.id } else { nil }
      }.first)
    let ready = worker.handle(.reply(DataReply(requestID: id, body: .welcome), server: 0), at: 0)
    try #require(told(ready) == [.ready])
    return worker
  }

  @Test("a heartbeat names the task under way, and none without one")
  func heartbeat() throws {
    var worker = try readyWorker()
    #expect(beats(worker.handle(.tick, at: 1)) == [0])
    _ = worker.handle(task(5), at: 1)
    #expect(beats(worker.handle(.tick, at: 2)) == [5])
    _ = worker.handle(.advanced(task: 5, .done([])), at: 2)
    #expect(beats(worker.handle(.tick, at: 3)) == [0])
  }

  @Test("a task that comes again while it is under way is not begun again")
  func repeatedTask() throws {
    var worker = try readyWorker()
    #expect(begun(worker.handle(task(5), at: 1)) == [5])
    #expect(worker.handle(task(5), at: 1).isEmpty)
  }

  @Test("a task that comes again after its end is answered as it was, and not computed again")
  func repeatedAnswer() throws {
    var worker = try readyWorker()
    let reports = [UnitReport(unit: 0, sums: ["valid.users": 3])]
    _ = worker.handle(task(5), at: 1)
    let first = told(worker.handle(.advanced(task: 5, .done(reports)), at: 1))
    #expect(first == [.taskDone(id: 5, reports: reports)])
    let again = worker.handle(task(5), at: 2)
    #expect(told(again) == first)
    #expect(begun(again).isEmpty)
    #expect(begun(worker.handle(task(6), at: 3)) == [6])
    let failure = TaskFailure(.failed, "no memory")
    _ = worker.handle(.taskFailed(task: 6, failure), at: 3)
    #expect(told(worker.handle(task(6), at: 4)) == [.taskFailed(id: 6, failure)])
    #expect(worker.handle(task(5), at: 4).isEmpty)
  }

  @Test("servers or a welcome that come again are answered with the readiness that was lost")
  func repeatedReady() throws {
    var worker = try readyWorker()
    #expect(told(worker.handle(.coordinator(Self.servers), at: 1)) == [.ready])
    #expect(told(worker.handle(.coordinator(Self.welcome), at: 1)) == [.ready])
    _ = worker.handle(task(5), at: 1)
    #expect(worker.handle(.coordinator(Self.servers), at: 1).isEmpty)
  }
}
