import Configuration
import Datasets
import Protocol
import Recommenders
import Runtime
import Settings
import Tables
import Tensors

/// The messages of the first step of a probe's first worker, by what they contain.
struct ProbeMessages {
  private let messages: [ProbeRequest]
  private let shards: [Int]
  private let setup: RunSetup
  private let sampler: BatchSampler
  private let batchSize: Int

  init(_ messages: [ProbeRequest], shards: [Int], setup: RunSetup, batchSize: Int) {
    self.messages = messages
    self.shards = shards
    self.setup = setup
    self.batchSize = batchSize
    sampler = BatchSampler(dataset: setup.dataset, seed: setup.seed, batchSize: batchSize)
  }

  /// - Parameter version: of the first step.
  func shape(ofVersion version: UInt64) -> VersionShape {
    var shape = VersionShape()
    var pulls: [Sections] = []
    var propagated: [Sections] = []
    var pushes: [Sections] = []
    let shard = UInt32(shards[0])
    for message in messages {
      switch message.body {
      case .pull(let pull) where pull.version == version:
        pulls.append(Sections(list: pull.sections, keys: pull.keys))
      case .reduce(let reduce) where reduce.name.version == version:
        if reduce.stage == .norms { shape.norms = reduce.values.count }
        guard reduce.stage == .propagated else { continue }
        shape.exchangesPropagated = true
        if reduce.name.shard == shard {
          propagated.append(Sections(list: reduce.rows.sections, keys: reduce.rows.keys))
        }
      case .push(let push)
      where push.name.version == version && push.name.shard == shard && push.kind == .gradient:
        pushes.append(Sections(list: push.sections, keys: push.keys))
        if !push.sums.isEmpty { shape.sums = push.sums }
      case .pull, .reduce, .push, .hello, .copy: continue
      }
    }
    shape.pull = sections(pulls, batch: shards, ranges: false) { setup.model.tables[$0].rows }
    shape.push = sections(pushes, batch: [shards[0]], ranges: true) {
      setup.model.tables[$0].rows
    }
    shape.propagated = sections(propagated, batch: [shards[0]], ranges: false) { _ in nil }
    return shape
  }

  /// The sections of the message to one server.
  private struct Sections {
    let list: [TableSection]
    let keys: Payload
  }

  /// - Parameters:
  ///   - batch: the shards that the messages are about.
  ///   - ranges: whether a shard may send a range of rows for all shards.
  ///   - rowCount: the rows of a matrix; nil if the messages do not show them.
  private func sections(
    _ messages: [Sections], batch: [Int], ranges: Bool, rowCount: (Int) -> Int?
  ) -> [VersionShape.Section] {
    struct Found {
      var keys: [UInt32] = []
      var width = 0
      var isWhole = false
    }
    var found: [Int: Found] = [:]
    for message in messages {
      var next = 0
      for section in message.list {
        var matrix = found[Int(section.table)] ?? Found()
        matrix.width = Int(section.width)
        matrix.isWhole = section.isWhole
        if !section.isWhole {
          for index in next..<next + Int(section.rowCount) {
            matrix.keys.append(message.keys.load(UInt32.self, at: index))
          }
          next += Int(section.rowCount)
        }
        found[Int(section.table)] = matrix
      }
    }
    let sets = rowSets(batch)
    let shardCount = setup.configuration.training.shards
    let part = PartRows(
      share: Double(batch.count) / Double(shardCount), batchSize: batchSize,
      of: InteractionCounts(setup.dataset), sampling: SampledNeighbours(setup.configuration))
    return found.sorted { $0.key < $1.key }.map { table, matrix in
      let rows = rowCount(table)
      let range = rows.map { $0 * batch[0] / shardCount..<$0 * (batch[0] + 1) / shardCount }
      return VersionShape.Section(
        table: table, rows: rows ?? 0, width: matrix.width,
        selected: matrix.isWhole
          ? .whole
          : sets.recognise(
            matrix.keys, rows: rows, range: ranges && shardCount > 1 ? range : nil, part: part))
    }
  }

  private func rowSets(_ shards: [Int]) -> BatchRowSets {
    let batches = shards.map {
      sampler.batch(
        epoch: 0, step: 0, shard: $0, shardCount: setup.configuration.training.shards)
    }
    return BatchRowSets(
      users: batches.flatMap(\.distinctUsers), items: batches.flatMap(\.distinctItems),
      userCount: setup.dataset.userCount, itemCount: setup.dataset.itemCount)
  }
}
