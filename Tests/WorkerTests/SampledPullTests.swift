import Datasets
import Protocol
import Recommenders
import Settings
import Tensors
import Testing
import Worker

/// What a step over a sampled neighbourhood pulls, whatever the number of users.
@Suite struct SampledPullTests {
  private static let batchSize = 8
  private static let fanOuts = [3, 2]

  private func engine(users: Int, mode: GraphMode) throws -> WorkerEngine {
    let items = users / 2
    let random = CounterRandom(seed: 1, stream: .generator)
    let train = (0..<users).flatMap { user in
      let first = random.integer(below: items, id: user)
      return (0..<6).map { (user: Int32(user), item: Int32((first + $0 * $0) % items)) }
    }
    // The largest id of either side decides how many there are.
    let dataset = try Dataset(
      name: "wide", interactions: Interactions(train: train), itemCount: items)
    var settings = SettingStore()
    settings[CommonSettings.embeddingSize] = 4
    settings[CommonSettings.graphMode] = mode
    settings[CommonSettings.fanOuts] = Self.fanOuts
    let model = try ModelRegistry.make(
      "lightgcn",
      input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: settings, objective: nil, seed: 1)
    return WorkerEngine(
      dataset: dataset, model: model, serverCount: 2,
      setting: WorkerEngine.Setting(
        seed: 1, shardCount: 2, roundsPerStep: 1, batchSize: Self.batchSize, topK: [5],
        rankBlockSize: 64, materializeBlockSize: 64))
  }

  /// The sections of the first pull of an epoch, all servers together.
  private func firstPull(_ engine: WorkerEngine) throws -> [TableSection] {
    let task = WorkerTask(
      id: 1, generation: 1,
      body: .train(epoch: 0, firstVersion: 0, startVersion: 0, shards: [0, 1]))
    guard case .pull(let requests) = try engine.work(for: task).advance(.begin) else {
      Issue.record("no pull")
      return []
    }
    return requests.flatMap(\.body.sections)
  }

  @Test("rows of a step are bounded by batch and fan-outs, and do not grow with the users")
  func bounded() throws {
    // Users, positive and negative items, and what they lead to.
    let bound = 3 * Self.batchSize * (1 + 3 + 3 * 2)
    for users in [100, 1000, 10_000] {
      let sections = try firstPull(engine(users: users, mode: .sampled))
      #expect(sections.allSatisfy { !$0.isWhole })
      let rows = sections.reduce(0) { $0 + Int($1.rowCount) }
      #expect(rows > Self.batchSize && rows <= bound, "\(rows) rows with \(users) users")
    }
    let whole = try firstPull(engine(users: 1000, mode: .full))
    #expect(whole.reduce(0) { $0 + Int($1.rowCount) } == 1500)
  }
}
