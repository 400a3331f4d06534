import Protocol
import Worker

/// A worker of a probe, which has the same shards in every epoch.
final class ProbeMember {
  let id: Int
  let shards: [UInt32]
  private let engine: WorkerEngine
  private(set) var work: (any Work)?
  private var workEpoch = -1
  var epoch = 0
  /// The version of its last pull.
  var pulledVersion = 0
  /// The requests that it waits for.
  var awaited: [UInt64] = []
  var awaitsPush = false
  var replies: [UInt64: DataReplyBody] = [:]

  init(id: Int, shards: [UInt32], engine: WorkerEngine) {
    self.id = id
    self.shards = shards
    self.engine = engine
  }

  /// Whether all its requests are answered.
  var isReady: Bool { awaited.allSatisfy { replies[$0] != nil } }

  /// What its work waits for; begins the work of the next epoch if the last one is over.
  func takeInput(stepsPerEpoch: Int, roundsPerStep: Int) throws -> WorkInput {
    guard workEpoch == epoch else {
      let first = UInt64(epoch * stepsPerEpoch * roundsPerStep)
      work = try engine.work(
        for: WorkerTask(
          id: UInt64(epoch) + 1, generation: 1,
          body: .train(
            epoch: UInt32(epoch), firstVersion: first, startVersion: first, shards: shards)))
      workEpoch = epoch
      awaited = []
      return .begin
    }
    defer {
      awaited = []
      replies = [:]
    }
    if awaitsPush { return .sent }
    let bodies = awaited.compactMap { replies[$0] }
    let pulled = bodies.compactMap { if case .pulled(let reply) = $0 { reply } else { nil } }
    if !pulled.isEmpty { return .pulled(pulled) }
    return .reduced(
      bodies.compactMap { if case .reduced(let reply) = $0 { reply } else { nil } })
  }
}
