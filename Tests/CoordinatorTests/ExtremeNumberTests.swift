import Coordinator
import Protocol
import TestSupport
import Testing

/// Every number of every message that reaches the coordinator, as large and as odd as it can be:
/// refused where it is decoded, or taken in every phase of a run. A number that traps ends this
/// process.
@Suite struct ExtremeNumberTests {
  private static let messages: [NodeMessage] = [
    .hello(
      NodeHello(
        role: .server, incarnation: 100, runID: "run-1", dataEndpoint: "tcp://a:1", host: "n1",
        processID: 1, name: "server-0", holding: HeldState(generation: 1, rank: 1, version: 3))),
    .hello(
      NodeHello(
        role: .worker, incarnation: 300, runID: "", dataEndpoint: "", host: "n1", processID: 1,
        holding: HeldState(generation: 1, rank: 1, version: 0))),
    ScriptedCluster.heartbeat(task: 1, done: 1, generation: 1, version: 1), .ready(generation: 1),
    .taskDone(id: 1, reports: [UnitReport(unit: 1, sums: ["loss.total": 1])]),
    .taskFailed(id: 1, TaskFailure(.failed, "no")), .held(generation: 1, version: 3),
    .checkpointWritten(
      CheckpointShard(
        generation: 1, version: 8, rank: 1, file: "f", byteCount: 1, digest: "00")),
    .checkpointFailed(generation: 1, version: 8, message: "full"), .goodbye(reason: "Ctrl-C"),
  ]

  private static func variants() -> [NodeMessage] {
    messages.flatMap { message -> [NodeMessage] in
      let header = message.encoded().frames[0].array(of: UInt8.self)
      let variants = ProtobufFields(header[...])?.extremes ?? []
      return variants.compactMap {
        try? NodeMessage(decoding: WireMessage(frames: [.copying($0)]))
      }
    }
  }

  /// A cluster in each phase in which messages can arrive.
  private static func clusters() throws -> [ScriptedCluster] {
    var forming = try ScriptedCluster(ScriptedCluster.plan())
    forming.receive(ScriptedCluster.hello(.server, 100), from: 100)
    var training = try ScriptedCluster(ScriptedCluster.plan())
    training.form()
    var stopping = training
    stopping.handle(.stopRequested(reason: "Ctrl-C"))
    var recovering = training
    recovering.handle(.nodeGone(ScriptedCluster.firstServer))
    var restarted = training
    try restarted.restartCoordinator()
    restarted.receive(
      ScriptedCluster.hello(
        .server, 101, holding: HeldState(generation: 1, rank: 1, version: 0)), from: 101)
    return [forming, training, stopping, recovering, restarted]
  }

  @Test("in messages of nodes, in every phase")
  func nodeMessages() throws {
    let variants = Self.variants()
    try #require(variants.count > 200)
    for cluster in try Self.clusters() {
      for message in variants {
        for node in [ScriptedCluster.firstServer, ScriptedCluster.firstWorker, 300] {
          var copy = cluster
          copy.receive(message, from: node)
          copy.now += 1
          copy.handle(.tick)
          copy.now += 1000
          copy.handle(.tick)
        }
      }
    }
  }
}
