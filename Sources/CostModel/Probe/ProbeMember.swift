import ParameterServer
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
  var conversation = ServerConversation()
  /// What its work has waited for.
  private var inputs: [WorkInput] = []

  init(id: Int, shards: [UInt32], engine: WorkerEngine) {
    self.id = id
    self.shards = shards
    self.engine = engine
  }

  /// Keeps what its work waits for until it is taken.
  func note(_ input: WorkInput) { inputs.append(input) }

  /// What its work waits for, nil if that has not come; begins the work of the next epoch if the
  /// last one is over.
  ///
  /// - Throws: `TrainingError`.
  func takeInput(_ schedule: StepSchedule) throws -> WorkInput? {
    guard workEpoch == epoch else {
      let first = UInt64(epoch) * schedule.versionsPerEpoch
      work = try engine.work(
        for: WorkerTask(
          id: UInt64(epoch) + 1, generation: 1,
          body: .train(
            epoch: UInt32(epoch), firstVersion: first, startVersion: first, shards: shards)))
      workEpoch = epoch
      return .begin
    }
    return inputs.isEmpty ? nil : inputs.removeFirst()
  }
}
