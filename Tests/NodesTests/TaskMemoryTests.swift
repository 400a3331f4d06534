import Datasets
import Nodes
import Protocol
import Recommenders
import Testing
import Worker

@Suite("The memory of a worker's tasks")
struct TaskMemoryTests {
  /// Counts how often memory is returned to the system.
  private final class Releases {
    var count = 0
  }

  private let releases = Releases()

  /// A worker that ranks items with vectors of 64 numbers.
  private func computation(itemCount: Int) throws -> TaskComputation {
    let dataset = try Dataset(
      name: "two users",
      interactions: Interactions(
        train: (0..<Int32(itemCount)).map { (user: $0 % 2, item: $0) }))
    let model = TrainingModel(
      backbone: BPR(
        userCount: dataset.userCount, itemCount: itemCount, embeddingSize: 64, regularization: 0.1),
      objective: nil, userCount: dataset.userCount, itemCount: itemCount)
    let engine = WorkerEngine(
      dataset: dataset, model: model, serverCount: 1,
      setting: WorkerEngine.Setting(
        seed: 1, shardCount: 1, roundsPerStep: 1, batchSize: 2, topK: [5], rankBlockSize: 4,
        materializeBlockSize: 4))
    let computation = TaskComputation(
      makeEngine: { _ in engine }, releaseMemory: { [releases] in releases.count += 1 })
    _ = computation.setUp(SmallRun.welcome())
    return computation
  }

  private func ranking(_ id: UInt64) -> WorkerTask {
    WorkerTask(id: id, generation: 1, body: .rank(version: 4, epoch: 0, blocks: [0]))
  }

  @Test("a task with large buffers returns memory when it fails, or when another replaces it")
  func largeBuffers() throws {
    let computation = try computation(itemCount: 1 << 18)
    guard case .advanced(1, .pull) = computation.begin(ranking(1)) else {
      Issue.record("the task did not ask for items")
      return
    }
    #expect(releases.count == 0)
    _ = computation.begin(ranking(2))
    #expect(releases.count == 1)
    guard case .taskFailed(2, _) = computation.advance(2, .versionSuperseded(5)) else {
      Issue.record("the task did not fail")
      return
    }
    #expect(releases.count == 2)
  }

  @Test("a task with small buffers leaves memory to the next one")
  func smallBuffers() throws {
    let computation = try computation(itemCount: 100)
    _ = computation.begin(ranking(1))
    _ = computation.begin(ranking(2))
    _ = computation.advance(2, .versionSuperseded(5))
    #expect(releases.count == 0)
  }
}
