import ParameterServer
import Protocol
import Recommenders
import Testing

/// The servers of a small run in the process of their only worker, which has greeted them: every
/// request is answered at once, and no message is lost.
struct InProcessServers {
  private static let worker = 1

  private var states: [ServerState<Int>]
  private var lastID: UInt64 = 0

  init(_ run: SmallRun, count: Int) throws {
    states = try (0..<count).map { rank in
      try ServerState(
        rank: rank, serverCount: count, runID: "run", generation: 1, tables: run.model.tables,
        seed: SmallRun.seed, shardCount: SmallRun.shardCount, schedule: run.schedule,
        optimizer: OptimizerConfiguration(
          SGD(), model: LearningRate(0.5), discriminator: LearningRate(0.5)),
        consistency: run.consistency)
    }
    let hello = DataHello(runID: "run", generation: 1, sender: "worker 0")
    for rank in 0..<count {
      guard case .welcome = ask(.hello(hello), rank) else {
        throw TestError("server \(rank) does not accept the worker")
      }
    }
  }

  /// The version of each server's tables.
  var versions: [UInt64] { states.map(\.version) }

  /// The requests that the servers refused, except those that came after their version.
  var refusalCount: Int {
    states.reduce(0) { count, state in
      count
        + state.statistics.refusals.filter { $0.key != .versionSuperseded }.values.reduce(0, +)
    }
  }

  /// Sends a request to a server.
  ///
  /// - Returns: the reply; nil if it has to wait for other requests.
  mutating func ask(_ body: DataRequestBody, _ server: Int) -> DataReplyBody? {
    lastID += 1
    let replies = states[server].answer(DataRequest(id: lastID, body: body), from: Self.worker)
    #expect(states[server].brokenInvariants == [])
    return replies.first { $0.reply.requestID == lastID }?.reply.body
  }
}

/// Why a test cannot continue.
struct TestError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
