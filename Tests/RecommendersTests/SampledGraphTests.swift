import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// Models over sampled neighbourhoods, compared with the same models over whole graphs.
@Suite struct SampledGraphTests {
  private static let models = ["lightgcn", "freedom", "mgcn"]
  /// Those whose final vectors are computed layer by layer.
  private static let layered = ["lightgcn", "freedom"]
  private static let width = 4

  private let data: Dataset

  init() throws {
    let random = CounterRandom(seed: 3, stream: .generator)
    let (users, items) = (24, 17)
    var splits: [[(user: Int32, item: Int32)]] = [[], [], []]
    for user in 0..<users {
      var taken: Set<Int32> = []
      for place in 0..<(6 + user % 5) {
        var attempt = 0
        var item: Int32
        repeat {
          // Small items are popular.
          let draw = random.uniform(id: user, index: place * 64 + attempt)
          item = Int32(Float(items) * draw * draw)
          attempt += 1
        } while taken.contains(item)
        taken.insert(item)
        splits[place < 2 ? place + 1 : 0].append((Int32(user), item))
      }
    }
    let features = try [("visual", 5), ("text", 3)].map { name, width in
      try FeatureMatrix(name: name, matrix: randomMatrix(items, width, seed: UInt64(width)))
    }
    data = try Dataset(
      name: "random",
      interactions: Interactions(train: splits[0], valid: splits[1], test: splits[2]),
      features: features)
  }

  private func make(
    _ name: String, _ mode: GraphMode, fanOuts: [Int] = [3, 2], layers: Int = 2,
    objective: Bool = false, _ change: (inout SettingStore) -> Void = { _ in }
  ) throws -> TrainingModel {
    var settings = SettingStore(embeddingSize: Self.width, regularization: 0.1)
    settings[CommonSettings.itemNeighbours] = 3
    settings[CommonSettings.edgeDropout] = 0.3
    settings[CommonSettings.layers] = layers
    settings[CommonSettings.graphMode] = mode
    settings[CommonSettings.fanOuts] = fanOuts
    change(&settings)
    return try ModelRegistry.make(
      name, input: ModelInput(data, graphs: GraphStore(dataset: data, cacheFolder: nil)),
      settings: settings,
      objective: objective ? SettingValues<MRdIB.Settings>(settings) : nil, seed: 1)
  }

  private func parameters(of model: TrainingModel) -> PlainParameters {
    PlainParameters(
      tables: model.tables.enumerated().map { table, spec in
        randomMatrix(spec.rows, spec.width, seed: UInt64(table + 40), scale: 0.5)
      })
  }

  private func batch(_ step: Int = 0, count: Int = 9) -> TripletBatch {
    BatchSampler(dataset: data, seed: 2, batchSize: count)
      .batch(epoch: 0, step: step, shard: 0, shardCount: 1)
  }

  private func context(epoch: Int = 1, step: Int = 0) -> StepContext {
    StepContext(seed: 6, epoch: epoch, step: step)
  }

  /// The vectors of the batch's users, then items, from a sample.
  private func sampledVectors(
    _ model: TrainingModel, _ parameters: PlainParameters, _ batch: TripletBatch,
    _ context: StepContext
  ) throws -> [Float] {
    let neighbourhood = try #require(model.neighbourhood(of: batch, context: context))
    let tape = Tape()
    let leaves = zip(parameters.tables, model.rows(for: batch, in: neighbourhood)).map {
      tape.constant(rows($1, of: $0))
    }
    let vectors = model.propagate(on: tape, in: neighbourhood, parameters: leaves)
    return vectors.flatMap { vector in
      withExtendedLifetime(vector.value) { Array(vector.value.elements) }
    }
  }

  private func rows(_ selection: RowSelection, of table: Matrix) -> Matrix {
    guard case .listed(let listed) = selection else { return table }
    let result = Matrix(rows: listed.count, columns: table.columns)
    for (position, row) in listed.enumerated() {
      _ = result.row(position).update(fromContentsOf: table.row(Int(row)))
    }
    return result
  }

  /// The same vectors from whole graphs.
  private func wholeVectors(
    _ model: TrainingModel, _ parameters: PlainParameters, _ batch: TripletBatch,
    _ context: StepContext
  ) -> [Float] {
    let tape = Tape()
    let whole = model.propagate(
      on: tape, parameters: parameters.tables.map { tape.constant($0) }, context: context)
    // Matrices of users come first.
    return whole.enumerated().flatMap { index, matrix in
      (index < whole.count / 2 ? batch.distinctUsers : batch.distinctItems).flatMap { id in
        withExtendedLifetime(matrix.value) { Array(matrix.value.row(Int(id))) }
      }
    }
  }

  @Test("the mean over many samples is the full propagation", arguments: models, [1, 2, 3])
  func unbiased(name: String, layers: Int) throws {
    let sampled = try make(name, .sampled, fanOuts: [3, 2], layers: layers)
    let full = try make(name, .full, layers: layers)
    let (parameters, batch) = (parameters(of: full), batch())
    let expected = wholeVectors(full, parameters, batch, context())
    let draws = 1500
    var sums = [Double](repeating: 0, count: expected.count)
    var squares = sums
    for step in 0..<draws {
      let found = try sampledVectors(sampled, parameters, batch, context(step: step))
      for (index, value) in found.enumerated() {
        let difference = Double(value) - Double(expected[index])
        sums[index] += difference
        squares[index] += difference * difference
      }
    }
    var scores: [Double] = []
    for index in expected.indices {
      let mean = sums[index] / Double(draws)
      let variance = squares[index] / Double(draws) - mean * mean
      // Some nodes have no more neighbours than are drawn.
      guard variance > 1e-10 else {
        #expect(abs(mean) < 1e-5)
        continue
      }
      scores.append(mean / (variance / Double(draws)).squareRoot())
    }
    #expect(scores.count > expected.count / 2)
    // Of some hundred standard normal numbers, which are not independent.
    #expect(scores.allSatisfy { abs($0) < 5 }, "\(scores.map { abs($0) }.max() ?? 0)")
    let meanSquare = scores.reduce(0) { $0 + $1 * $1 } / Double(scores.count)
    #expect(meanSquare < 1.6)
  }

  @Test(
    "with fan-outs of every degree, loss and gradients are the full ones",
    arguments: [
      ("lightgcn", false, 2), ("lightgcn", false, 3), ("freedom", false, 2), ("freedom", true, 2),
      ("freedom", true, 1), ("mgcn", false, 2), ("mgcn", true, 2),
    ])
  func exact(name: String, objective: Bool, layers: Int) throws {
    let sampled = try make(
      name, .sampled, fanOuts: [100], layers: layers, objective: objective)
    let full = try make(name, .full, layers: layers, objective: objective)
    for step in 0..<3 {
      let found = parameters(of: sampled)
        .gradients(sampled, batch(step), context: context(step: step))
      let expected = parameters(of: full)
        .gradients(full, batch(step), context: context(step: step))
      #expect(found.shares.keys == expected.shares.keys)
      for (name, share) in expected.shares {
        #expect(abs((found.shares[name] ?? .nan) - share) < 1e-5 * max(1, abs(share)), "\(name)")
      }
      for (table, gradient) in expected.gradients.enumerated()
      where full.tables[table].rule != .assigned {
        #expect(
          relativeDifference(found.gradients[table], gradient) < 1e-4,
          "\(full.tables[table].name)")
      }
    }
  }

  @Test("gradients of a sampled loss are its differences", arguments: models)
  func gradients(name: String) throws {
    let model = try make(name, .sampled, objective: name != "lightgcn")
    let (parameters, batch) = (parameters(of: model), batch())
    func loss(_ parameters: PlainParameters) -> Double {
      parameters.gradients(model, batch, context: context()).shares["total"] ?? .nan
    }
    let gradients = parameters.gradients(model, batch, context: context()).gradients
    for table in 0..<2 {
      let gradient = gradients[table]
      let scale = (0..<gradient.count).reduce(Float(0)) { max($0, abs(gradient.pointer[$1])) }
      #expect(scale > 0)
      for index in stride(from: 0, to: gradient.count, by: 3) {
        let value = parameters.tables[table].pointer[index]
        let step: Float = 1e-2
        parameters.tables[table].pointer[index] = value + step
        let above = loss(parameters)
        parameters.tables[table].pointer[index] = value - step
        let below = loss(parameters)
        parameters.tables[table].pointer[index] = value
        let difference = (above - below) / Double(2 * step)
        #expect(
          abs(difference - Double(gradient.pointer[index])) < 0.02 * Double(scale) + 1e-4,
          "\(model.tables[table].name) \(index)")
      }
    }
  }

  @Test(
    "gradients of the shards of a step add up to those of its batch", arguments: layered)
  func shardsAddUp(name: String) throws {
    // Norms of LightGCN are of all shards, but here of one.
    let model = try make(name, .sampled) { $0[CommonSettings.regularization] = 0 }
    let parameters = parameters(of: model)
    let sampler = BatchSampler(dataset: data, seed: 2, batchSize: 9)
    let shards = (0..<3).map { shard in
      parameters.gradients(
        model, sampler.batch(epoch: 0, step: 0, shard: shard, shardCount: 3),
        context: StepContext(seed: 6, epoch: 1, step: 0, shard: shard)
      ).gradients
    }
    let whole = parameters.gradients(model, batch(), context: context()).gradients
    check(shards, addUpTo: whole)
  }

  private func check(_ shards: [[Matrix]], addUpTo whole: [Matrix]) {
    for table in 0..<2 {
      let sum = Matrix(rows: whole[table].rows, columns: whole[table].columns)
      sum.fill(0)
      for shard in shards {
        withExtendedLifetime((sum, shard)) {
          BLAS.accumulate(shard[table].pointer, into: sum.pointer, count: sum.count)
        }
      }
      #expect(relativeDifference(sum, whole[table]) < 1e-5)
    }
  }

  @Test("a step needs no more rows than batch and fan-outs allow", arguments: models)
  func rowsAreBounded(name: String) throws {
    let model = try make(name, .sampled, fanOuts: [2, 1])
    for step in 0..<3 {
      let batch = batch(step, count: 3)
      let nodes = batch.distinctUsers.count + batch.distinctItems.count
      let selections = model.rows(
        for: batch, in: model.neighbourhood(of: batch, context: context(step: step)))
      let count = selections[..<2].reduce(0) { sum, selection in
        guard case .listed(let rows) = selection else {
          Issue.record("a table is read whole")
          return sum
        }
        return sum + rows.count
      }
      // FREEDOM's items have three similar ones in each of two modalities. MGCN draws one of each,
      // also of the two items of a user that are drawn.
      let similar =
        switch name {
        case "freedom": 6 * batch.distinctItems.count
        case "mgcn": 2 * (batch.distinctItems.count + 2 * batch.distinctUsers.count)
        default: 0
        }
      #expect(count <= nodes * (1 + 2 + 2 * 1) + similar)
    }
  }

  @Test(
    "final vectors in blocks are those of the whole graph, with the same bits whatever the blocks",
    arguments: layered, [1, 2, 3])
  func finalVectors(name: String, layers: Int) throws {
    let sampled = try make(name, .sampled, layers: layers)
    let full = try make(name, .full, layers: layers)
    let parameters = parameters(of: full)
    guard case .layered(let final) = sampled.backbone.final else {
      Issue.record("not in layers")
      return
    }
    let found = parameters.finalVectors(sampled)
    let expected = parameters.finalVectors(full)
    #expect(relativeDifference(found.user, expected.user) < 1e-5)
    #expect(relativeDifference(found.item, expected.item) < 1e-5)

    // Through tables, as on the servers.
    for size in [1, 5, 1000] {
      var tables: [Int: Matrix] = [0: parameters.tables[0], 1: parameters.tables[1]]
      for layer in 1...layers {
        for side in Side.allCases {
          tables[sampled.layerTable(layer, of: final, side)] = Matrix(
            rows: side == .user ? 24 : 17, columns: Self.width)
        }
        for block in final.blocks(size: size) {
          let sum = Matrix(rows: block.rows.count, columns: Self.width)
          sum.fill(0)
          for term in final.terms(block, layer: layer) where !term.rows.isEmpty {
            let source = try #require(tables[sampled.layerTable(term.layer, of: final, term.side)])
            term.matrix.multiply(rows(.listed(term.rows), of: source), into: sum, adds: true)
          }
          let target = try #require(tables[sampled.layerTable(layer, of: final, block.side)])
          for row in block.rows {
            _ = target.row(row).update(fromContentsOf: sum.row(row - block.rows.lowerBound))
          }
        }
      }
      for (side, vectors) in [(Side.user, found.user), (.item, found.item)] {
        let table = try #require(tables[sampled.finalTable(side)])
        withExtendedLifetime((table, vectors)) {
          #expect(Array(table.elements) == Array(vectors.elements), "\(side) in blocks of \(size)")
        }
      }
    }
  }

  @Test("tables between layers are not part of a saved model")
  func savedTables() throws {
    let two = try make("lightgcn", .sampled)
    #expect(
      two.tables.map(\.name)
        == ["user", "item", "final.user", "final.item", "layer.user", "layer.item"])
    #expect(two.savedTables == [0, 1, 2, 3])
    let one = try make("lightgcn", .sampled, layers: 1)
    #expect(one.tables.count == 4 && one.savedTables == [0, 1, 2, 3])
  }

  @Test("models without a sampled form, and stale ranking, are refused with a reason")
  func refused() throws {
    for name in ModelRegistry.names where !Self.models.contains(name) {
      let error = #expect(throws: ModelError.self) { try make(name, .sampled) }
      #expect(error?.description.contains("graph_mode=sampled") == true, "\(name)")
      #expect(error?.description.contains("freedom, lightgcn, mgcn") == true, "\(name)")
    }
    for name in Self.layered {
      let error = #expect(throws: ModelError.self) {
        try make(name, .sampled) { $0[CommonSettings.staleRanking] = .always }
      }
      #expect(error?.description.contains("stale_ranking") == true)
    }
  }
}
