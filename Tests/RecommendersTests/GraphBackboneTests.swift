import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// Properties of models that propagate over graphs, beyond the stored numbers.
@Suite struct GraphBackboneTests {
  @Test("a list of tables needs no graph and no features")
  func tablesNeedNoGraph() throws {
    let data = try TinyData()
    let refuse: @Sendable () -> SparseMatrix = {
      Issue.record("a graph was asked for")
      return SparseMatrix(rows: 21, columns: 21, entries: [])
    }
    let backbones: [any Backbone] = [
      LightGCN(
        userCount: 12, itemCount: 9, embeddingSize: 8, layers: 2, regularization: 0.1,
        adjacency: refuse),
      FREEDOM(
        userCount: 12, itemCount: 9, features: data.features, embeddingSize: 64,
        settings: .init(),
        graphs: .init(items: refuse, sampled: { _ in refuse() }, whole: refuse)),
      GRCN(
        userCount: 12, itemCount: 9, features: data.features, embeddingSize: 64,
        settings: .init(),
        adjacency: refuse, userItem: refuse),
    ]
    for backbone in backbones {
      let model = TrainingModel(
        backbone: backbone, objective: nil, userCount: 12, itemCount: 9)
      #expect(model.parameterCount > 0)
      #expect(model.rows(for: data.batch).count == model.tables.count)
    }
  }

  @Test(
    "gradients of two shards add up to those of the batch",
    arguments: [BackboneGoldenTests.freedom("given_kept_edges"), BackboneGoldenTests.grcn])
  func shardsAddUp(test: GoldenCase) throws {
    let loaded = try test.load()
    let batch = loaded.data.batch
    let whole = loaded.gradients()
    let shards = [0..<2, 2..<6].map { range in
      loaded.parameters.gradients(
        loaded.model,
        TripletBatch(
          users: Array(batch.users[range]), positives: Array(batch.positives[range]),
          negatives: Array(batch.negatives[range]), globalCount: batch.count),
        context: loaded.context)
    }
    for (name, share) in whole.shares {
      let sum = shards.reduce(0) { $0 + ($1.shares[name] ?? .nan) }
      #expect(abs(sum - share) < 1e-6, "\(name)")
    }
    for (table, gradient) in whole.gradients.enumerated() {
      let sum = Matrix(rows: gradient.rows, columns: gradient.columns)
      for shard in shards {
        BLAS.accumulate(shard.gradients[table].pointer, into: sum.pointer, count: sum.count)
      }
      #expect(relativeDifference(sum, gradient) < 1e-5, "\(loaded.model.tables[table].name)")
    }
  }

  @Test("FREEDOM trains on the epoch's sample and ranks over the whole graph")
  func freedomGraphs() throws {
    let loaded = try BackboneGoldenTests.freedom("given_kept_edges").load()
    let golden = loaded.golden
    let tape = Tape()
    let propagated = loaded.model.propagate(
      on: tape, parameters: loaded.parameters.tables.map { tape.constant($0) },
      context: loaded.context)
    let path = "cases/given_kept_edges"
    for (variable, name) in zip(propagated, ["user", "item"]) {
      let training = try golden.matrix("\(path)/train_\(name)")
      #expect(relativeDifference(variable.value, training) < 1e-5)
      let ranking = try golden.matrix("\(path)/ranking/\(name)")
      #expect(relativeDifference(variable.value, ranking) > 0.1)
    }
  }

  @Test("FREEDOM with stale ranking ranks with the vectors of the last training step")
  func freedomStale() throws {
    let data = try TinyData()
    var settings = SettingValues<FREEDOM.Settings>()
    settings.staleRanking = .always
    let golden = try Golden("freedom")
    let sampled = try golden.sparse("cases/given_kept_edges/graphs/A_tilde")
    let whole = try golden.sparse("graphs/A_hat")
    let items = try golden.sparse("graphs/M")
    let model = FREEDOM(
      userCount: 12, itemCount: 9, features: data.features, embeddingSize: 8, settings: settings,
      graphs: .init(items: { items }, sampled: { _ in sampled }, whole: { whole }))
    let tables = try ["P", "Q"].map { try golden.matrix("cases/dropout0/params/\($0)") }
    guard case .whole(let final) = model.final else {
      Issue.record("not computed from whole tables")
      return
    }
    #expect(final.isStale)
    let context = StepContext(seed: 1, epoch: 3, step: 4)
    let vectors = final.compute(tables, context)
    let stored = try golden.matrix("cases/given_kept_edges/train_user")
    #expect(relativeDifference(vectors.user, stored) < 1e-5)
  }

  @Test("FREEDOM's feature tables begin as the features, and a batch pulls only its items' rows")
  func freedomFeatures() throws {
    let loaded = try BackboneGoldenTests.freedom("dropout0").load()
    let backbone = try #require(loaded.model.backbone as? FREEDOM)
    let selections = backbone.rows(for: loaded.data.batch)
    for (table, spec) in backbone.tables.enumerated() where spec.initializer == .pushed {
      let stored = loaded.parameters.tables[table]
      let values = backbone.initialValues(table: table, rows: 2..<6)
      #expect(Array(values.elements) == (2..<6).flatMap { Array(stored.row($0)) })
      #expect(selections[table] == .listed(loaded.data.batch.distinctItems))
    }
    #expect(backbone.tables.filter { $0.initializer == .pushed }.count == 2)
  }

  @Test("item graph weights: one modality has all, several share the rest after the first")
  func itemGraphWeights() {
    #expect(ModelInput.modalityShares(modalityCount: 1, first: 0.1) == [1])
    #expect(ModelInput.modalityShares(modalityCount: 2, first: 0.1) == [0.1, 0.9])
    #expect(ModelInput.modalityShares(modalityCount: 3, first: 0.5) == [0.5, 0.25, 0.25])
  }

  @Test("by default GRCN ranks with stale vectors and without effective routing")
  func grcnQuirks() throws {
    let data = try TinyData()
    let loaded = try BackboneGoldenTests.grcn.load()
    guard case .whole(let faithful) = loaded.model.backbone.final else {
      Issue.record("not computed from whole tables")
      return
    }
    #expect(faithful.isStale)
    var settings = SettingValues<GRCN.Settings>()
    settings.isRouted = true
    settings.staleRanking = .never
    guard case .whole(let fixed) = try BackboneGoldenTests.makeGRCN(data, settings).final else {
      Issue.record("not computed from whole tables")
      return
    }
    #expect(!fixed.isStale)
    let left = faithful.compute(loaded.parameters.tables, nil)
    let right = fixed.compute(loaded.parameters.tables, nil)
    // Routing moves the users' content, and through attention the items'.
    #expect(relativeDifference(left.user, right.user) > 0.01)
    #expect(relativeDifference(left.item, right.item) > 0.01)
  }

  @Test("GRCN with routing: the gradient of the whole loss against central differences")
  func grcnRouting() throws {
    let plain = BackboneGoldenTests.grcn
    let routed = GoldenCase(
      file: "grcn", names: plain.names, parts: [], differenceStep: 2e-3
    ) { data, golden in
      var settings = SettingValues<GRCN.Settings>()
      settings.regularization = 0.1
      settings.isRouted = true
      return try BackboneGoldenTests.makeGRCN(data, settings)
    }
    #expect(try routed.gradientError() < 1e-2)
  }
}
