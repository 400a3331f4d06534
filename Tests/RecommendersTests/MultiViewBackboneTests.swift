import Datasets
import Recommenders
import Settings
import Synchronization
import Tables
import Tensors
import TestSupport
import Testing

/// Properties of MGCN, SOIL, SMORE and PGL beyond the golden files.
@Suite struct MultiViewBackboneTests {
  private static let mgcn = MultiViewGoldenTests.mgcn

  /// MGCN with features that are not trained.
  private static let frozen = GoldenCase(
    file: "mgcn", names: mgcn.names.filter { $0 != "V" && $0 != "T" }, parts: mgcn.parts
  ) { data, golden in
    try MultiViewGoldenTests.makeMGCN(data, golden, trainsFeatures: false)
  }

  private static let cases =
    [mgcn, MultiViewGoldenTests.soil, frozen, SMORETests.golden] + PGLTests.cases

  /// The model of a case under MRdIB, whose tables begin as in a run.
  private func load(_ test: GoldenCase, _ objective: SettingValues<MRdIB.Settings>) throws
    -> GoldenCase.Loaded
  {
    let plain = try test.load()
    let (data, backbone) = (plain.data, plain.model.backbone)
    let model = TrainingModel(
      backbone: backbone,
      objective: MRdIB(
        settings: objective, modalities: data.features.map(\.name), width: 8),
      userCount: data.userCount, itemCount: data.itemCount)
    let added = model.tables[backbone.tables.count...].map { spec in
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows {
        spec.initializer.fill(matrix.row(row), table: spec.name, row: row, seed: 1)
      }
      return matrix
    }
    return GoldenCase.Loaded(
      model: model,
      parameters: PlainParameters(
        tables: plain.parameters.tables[..<backbone.tables.count] + added),
      data: data, golden: plain.golden)
  }

  @Test("MRdIB's whole loss against central differences in every table", arguments: cases)
  func centralDifferences(test: GoldenCase) throws {
    var options = SettingValues<MRdIB.Settings>()
    // The discriminator's own objective is no part of the loss.
    options.redundancyWeight = 0
    options.bottleneckWeight = 0.05
    options.uniqueWeight = 0.5
    let loaded = try load(test, options)
    for (spec, table) in zip(loaded.model.tables, loaded.parameters.tables)
    where spec.name.hasSuffix("logvar.bias") {
      // It begins at the clamp's corner, where finite differences are wrong by design.
      table.fill(-1)
    }
    let step: Float = 4e-3
    let (_, _, gradients) = loaded.gradients()
    for (table, spec) in loaded.model.tables.enumerated()
    where table < test.names.count || spec.name.contains("logvar") {
      let values = loaded.parameters.tables[table]
      let start = Array(values.elements)
      let direction = randomMatrix(values.rows, values.columns, seed: UInt64(table))
      func total(_ distance: Float) -> Double {
        for index in start.indices {
          values.pointer[index] = start[index] + distance * direction.pointer[index]
        }
        let total = loaded.gradients().shares["total"] ?? .nan
        for index in start.indices { values.pointer[index] = start[index] }
        return total
      }
      let numeric = (total(step) - total(-step)) / (2 * Double(step))
      var analytic = 0.0
      var size = 0.0
      for index in start.indices {
        let product = Double(gradients[table].pointer[index]) * Double(direction.pointer[index])
        analytic += product
        size += product * product
      }
      #expect(
        abs(numeric - analytic) < 1e-2 * size.squareRoot() + 1e-4,
        "\(spec.name): \(analytic), by differences \(numeric)")
      #expect(size > 0, "\(spec.name) has no gradient")
    }
  }

  @Test("frozen features: the loss and the gradients of MGCN without its feature tables")
  func frozenFeatures() throws {
    let trained = try Self.mgcn.load().gradients()
    let frozen = try Self.frozen.load().gradients()
    #expect(trained.shares == frozen.shares)
    let kept = zip(Self.mgcn.names, trained.gradients).filter { !["V", "T"].contains($0.0) }
    for ((name, left), right) in zip(kept, frozen.gradients) {
      #expect(Array(left.elements) == Array(right.elements), "\(name)")
    }
  }

  @Test("MRdIB with all weights 0 and no sampling: the bits of the plain model", arguments: cases)
  func switchedOff(test: GoldenCase) throws {
    var options = SettingValues<MRdIB.Settings>()
    options.bottleneckWeight = 0
    options.redundancyWeight = 0
    options.uniqueWeight = 0
    options.isStochastic = false
    let plain = try test.load()
    let (left, right) = (plain.gradients(), try load(test, options).gradients())
    for (name, share) in left.shares { #expect(right.shares[name] == share, "\(name)") }
    for table in plain.model.backbone.tables.indices {
      #expect(Array(left.gradients[table].elements) == Array(right.gradients[table].elements))
    }
  }

  @Test("samples change the scores and leave norms and contrasts on the means", arguments: cases)
  func sampling(test: GoldenCase) throws {
    let plain = try test.load().gradients().shares
    let sampled = try load(test, SettingValues<MRdIB.Settings>()).gradients().shares
    #expect(plain["ranking"] != sampled["ranking"])
    for name in test.parts.flatMap(\.terms) where name != "ranking" {
      #expect(plain[name] == sampled[name], "\(name)")
    }
  }

  @Test(
    "propagated once, with a backward pass per shard: additive parts and final gradients add up",
    arguments: cases)
  func shards(test: GoldenCase) throws {
    let golden = try test.load()
    let batch = golden.data.batch
    let shards = [0..<4, 4..<6].map { range in
      TripletBatch(
        users: Array(batch.users[range]), positives: Array(batch.positives[range]),
        negatives: Array(batch.negatives[range]), globalCount: batch.count)
    }
    let empty = TripletBatch(users: [], positives: [], negatives: [], globalCount: batch.count)
    let shared = Tape()
    let parameters = golden.parameters.tables.map { shared.parameter($0) }
    let propagated = golden.model.propagate(
      on: shared, parameters: parameters, context: golden.context)
    let sum = golden.parameters.tables.map { Matrix(rows: $0.rows, columns: $0.columns) }
    var additive = 0.0
    for shard in shards + [empty] {
      // Alone, on a tape of its own: what the shard's gradient should be.
      let alone = golden.parameters.gradients(golden.model, shard, context: golden.context)
      let tape = Tape()
      let leaves = propagated.map { tape.parameter($0.value) }
      let own = golden.parameters.tables.map { tape.parameter($0) }
      let loss = golden.model.record(
        on: tape,
        BatchInput(
          batch: shard, parameters: own, propagated: leaves, context: golden.context))
      tape.backward(from: loss.gradientTerms)
      shared.backward(
        seeding: zip(propagated, leaves).compactMap { variable, leaf in
          leaf.gradient.map { (variable, $0) }
        })
      for table in sum.indices where golden.model.tables[table].parameterCount > 0 {
        let total = Matrix(rows: sum[table].rows, columns: sum[table].columns)
        for gradient in [own[table].gradient, parameters[table].gradient] {
          guard let gradient else { continue }
          BLAS.accumulate(gradient.pointer, into: total.pointer, count: total.count)
        }
        #expect(relativeDifference(total, alone.gradients[table]) < 1e-5)
        BLAS.accumulate(total.pointer, into: sum[table].pointer, count: total.count)
      }
      shared.clearGradients()
      #expect(loss.shares().values.allSatisfy { $0.isFinite })
      for name in ["ranking", "norms"] { additive += loss.shares()[name] ?? 0 }
    }
    let whole = golden.gradients().shares
    #expect(abs(additive - (whole["ranking"] ?? 0) - (whole["norms"] ?? 0)) < 1e-5)
  }

  @Test("one, two and three modalities train: every parameter has a gradient")
  func modalities() throws {
    let data = try TinyData()
    let audio = try FeatureMatrix(name: "audio", matrix: randomMatrix(data.itemCount, 5, seed: 3))
    for count in 1...3 {
      let features = Array((data.features + [audio])[..<count])
      let golden = try Golden("soil")
      let graphs = ViewGraphs(
        adjacency: try golden.sparse("graphs/A_prime"),
        userItem: try golden.sparse("graphs/R_prime"),
        itemItem: try ["M_v", "M_t", "knn_v"][..<count].map { try golden.sparse("graphs/\($0)") })
      var regularized = SettingValues<MGCN.Settings>()
      regularized.regularization = 1e-4
      let backbones: [any Backbone] = [
        MGCN(
          userCount: data.userCount, itemCount: data.itemCount, features: features,
          embeddingSize: 8, batchSize: 2048, settings: regularized
        ) { graphs },
        SOIL(
          userCount: data.userCount, itemCount: data.itemCount, features: features,
          embeddingSize: 8, settings: .init()
        ) { graphs },
      ]
      for backbone in backbones {
        let model = TrainingModel(
          backbone: backbone,
          objective: MRdIB(
            settings: SettingValues<MRdIB.Settings>(), modalities: features.map(\.name), width: 8),
          userCount: data.userCount, itemCount: data.itemCount)
        let tables = model.tables.map { randomMatrix($0.rows, $0.width, seed: 5, scale: 0.3) }
        let result = PlainParameters(tables: tables).gradients(
          model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
        #expect(result.shares.values.allSatisfy { $0.isFinite })
        for (spec, gradient) in zip(backbone.tables, result.gradients) {
          // With one modality, attention and the part that is specific to it are constant.
          let isIdle =
            count == 1 && (spec.name.hasPrefix("attention") || spec.name.contains("preference"))
          #expect(
            gradient.elements.contains { $0 != 0 } != isIdle, "\(count) modalities: \(spec.name)")
        }
      }
    }
  }

  @Test("graphs are built once, and only in processes that compute")
  func graphsOnDemand() throws {
    let data = try TinyData()
    let golden = try Golden("mgcn")
    let graphs = ViewGraphs(
      adjacency: try golden.sparse("graphs/A_hat"), userItem: try golden.sparse("graphs/R_hat"),
      itemItem: try ["M_v", "M_t"].map { try golden.sparse("graphs/\($0)") })
    let calls = Mutex(0)
    let model = TrainingModel(
      backbone: MGCN(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features,
        embeddingSize: 8, batchSize: 2048, settings: .init()
      ) {
        calls.withLock { $0 += 1 }
        return graphs
      }, objective: nil, userCount: data.userCount, itemCount: data.itemCount)
    #expect(model.tables.count == 21 && model.rows(for: data.batch).count == 21)
    #expect(calls.withLock { $0 } == 0)
    let parameters = PlainParameters(
      tables: model.tables.map { randomMatrix($0.rows, $0.width, seed: 5) })
    _ = parameters.finalVectors(model)
    _ = parameters.gradients(model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    #expect(calls.withLock { $0 } == 1)
  }

  @Test("MGCN's feature tables begin with the features")
  func initialFeatures() throws {
    let golden = try Self.mgcn.load()
    let model = try #require(golden.model.backbone as? MGCN)
    for (index, feature) in golden.data.features.enumerated() {
      let table = try #require(
        model.tables.firstIndex { $0.name == "\(feature.name).features" })
      #expect(model.tables[table].initializer == .pushed)
      let values = model.initialValues(table: table, rows: 2..<5)
      let stored = golden.parameters.tables[table]
      for row in 0..<3 {
        #expect(Array(values.row(row)) == Array(stored.row(row + 2)), "\(feature.name), \(index)")
      }
    }
  }
}
