import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// LATTICE compared with the numbers of the reference toolbox.
@Suite struct LATTICETests {
  static let golden = GoldenCase(
    file: "lattice", names: ["P", "Q", "beta", "V", "L_v.W", "L_v.b", "T", "L_t.W", "L_t.b"],
    parts: [
      .init(stored: "bpr", terms: ["ranking"]),
      .init(stored: "reg_unweighted", terms: ["norms"]),
    ], differenceStep: 2e-3
  ) { data, golden in
    var settings = SettingValues<LATTICE.Settings>()
    settings.layers = Int(try golden.number("config/L"))
    settings.regularization = try golden.number("config/lambda")
    settings.itemNeighbours = Int(try golden.number("config/knn_k"))
    settings.givenGraphWeight = 1 - (try golden.number("config/learned_share"))
    let interactions = try golden.sparse("graphs/A_hat")
    let given = try ["O_v", "O_t"].map { try golden.sparse("graphs/\($0)") }
    return LATTICE(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")),
      batchSize: Int(try golden.number("config/configured_batch")), settings: settings,
      graphs: .init(interactions: { interactions }, given: { given }))
  }

  @Test("loss parts and the gradient of every parameter, through the graph too")
  func gradients() throws { try Self.golden.checkGradients() }

  @Test("final user and item matrices")
  func finalMatrices() throws { try Self.golden.checkFinal() }

  @Test("the gradient of the whole loss against central differences")
  func centralDifferences() throws { #expect(try Self.golden.gradientError() < 2e-2) }

  @Test("the loss and the gradients of shards add up")
  func shards() throws { try Self.golden.checkShards() }

  @Test("MRdIB: nothing changes when it is off, and it trains every table when it is on")
  func objective() throws {
    try Self.golden.checkMRdIBSwitchedOff()
    try Self.golden.checkMRdIB()
  }

  /// The loss and the gradients of a step; its averages become the tables' values, as on servers.
  private func run(
    _ loaded: GoldenCase.Loaded, step: Int
  ) throws -> (total: Double, gradients: [Matrix]) {
    let result = loaded.parameters.gradients(
      loaded.model, loaded.data.batch, context: StepContext(seed: 1, epoch: 0, step: step))
    for (table, values) in result.loss.averages {
      loaded.parameters.tables[table].copy(from: values)
    }
    return (try #require(result.shares["total"]), result.gradients)
  }

  @Test("later steps of an epoch keep its graph, and train nothing through it")
  func laterSteps() throws {
    let loaded = try Self.golden.load()
    _ = try run(loaded, step: 0)
    let later = try run(loaded, step: 1)
    let stored = try loaded.golden.number("later/total")
    #expect(abs(later.total - stored) < 1e-5 * stored)
    for (name, gradient) in zip(Self.golden.names, later.gradients) {
      let expected = try loaded.golden.matrix("later/grads/\(name)")
      if elements(expected).allSatisfy({ $0 == 0 }) {
        #expect(elements(gradient).allSatisfy { $0 == 0 }, "\(name)")
      } else {
        #expect(relativeDifference(gradient, expected) < 1e-5, "\(name)")
      }
    }
    // A projection that moves changes the graph of the next epoch's first step alone.
    loaded.parameters.tables[4][0, 0] += 0.5
    #expect(try run(loaded, step: 2).total == later.total)
    #expect(try run(loaded, step: 0).total != later.total)
  }

  @Test("losses, parameters and scores over an epoch of three Adam steps")
  func adam() throws {
    let loaded = try Self.golden.load()
    var optimizer = PlainAdam(loaded.parameters)
    let losses = try loaded.golden.numbers("adam_epoch/loss_before_step")
    for (step, stored) in losses.enumerated() {
      let (total, gradients) = try run(loaded, step: step)
      #expect(abs(total - stored) < 1e-5 * stored)
      optimizer.update(loaded.parameters, gradients, rate: 1e-3)
    }
    for (name, table) in zip(Self.golden.names, loaded.parameters.tables) {
      let stored = try loaded.golden.matrix("adam_epoch/params/\(name)")
      #expect(relativeDifference(table, stored) < 1e-5, "\(name)")
    }
    let users = try loaded.golden.integers("ranking/score_users")
    let stored = try loaded.golden.matrix("adam_epoch/scores_after")
    #expect(relativeDifference(Self.golden.scores(loaded, users: users), stored) < 1e-5)
  }

  private func fromData(
    _ data: Dataset, modalities: Int = 2,
    _ change: (inout SettingValues<LATTICE.Settings>) -> Void = { _ in }
  ) throws -> TrainingModel {
    var settings = SettingStore(embeddingSize: 8, regularization: 0.05)
    settings[CommonSettings.itemNeighbours] = 3
    change(&settings[LATTICE.Settings.self])
    var input = ModelInput(data, graphs: GraphStore(dataset: data, cacheFolder: nil))
    input.features = Array(input.features[..<modalities])
    input.batchSize = 8
    return try ModelRegistry.make(
      "lattice", input: input, settings: settings, objective: nil, seed: 1)
  }

  @Test("with graphs of the data set, the stored loss and final vectors")
  func registry() throws {
    let loaded = try Self.golden.load()
    let model = try fromData(TinyData().dataset())
    #expect(model.tables == loaded.model.tables)
    let shares = loaded.parameters.gradients(
      model, loaded.data.batch, context: loaded.context
    ).shares
    let stored = try loaded.golden.number("loss/total")
    #expect(abs(try #require(shares["total"]) - stored) < 1e-5 * stored)
    let final = loaded.parameters.finalVectors(model)
    let item = try loaded.golden.matrix("ranking/item")
    #expect(relativeDifference(final.item, item) < 1e-5)
  }

  @Test("one modality, features that stay, and an item without a modality that has no edges")
  func variants() throws {
    let tiny = try TinyData()
    let data = try tiny.dataset()
    let single = try fromData(data, modalities: 1)
    let final = PlainParameters.initial(of: single, seed: 1).finalVectors(single)
    #expect(elements(final.item).allSatisfy { $0.isFinite })
    let frozen = try fromData(data) { $0.trainsFeatures = false }
    #expect(!frozen.tables.contains { $0.initializer == .pushed })
    let stored = PlainParameters.initial(of: try fromData(data), seed: 1)
      .finalVectors(try fromData(data))
    let left = PlainParameters.initial(of: frozen, seed: 1).finalVectors(frozen)
    #expect(elements(left.item) == elements(stored.item))
    let text = Matrix(rows: tiny.itemCount, columns: tiny.features[1].columns)
    tiny.features[1].gather((0..<Int32(tiny.itemCount)).map { $0 }, into: text.pointer)
    let masked = try fromData(
      tiny.dataset(features: [
        tiny.features[0],
        FeatureMatrix(
          name: "text", matrix: text, mask: FeatureMask((0..<tiny.itemCount).map { $0 != 3 })),
      ]))
    let other = PlainParameters.initial(of: masked, seed: 1).finalVectors(masked)
    #expect(elements(other.item).allSatisfy { $0.isFinite })
    #expect(relativeDifference(other.item, stored.item) > 1e-3)
  }

  @Test("parameter counts on the sizes of Baby, Sports and Clothing")
  func parameterCounts() {
    let expected = [33_566_530, 85_979_330, 107_469_570]
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    for (index, (users, items)) in sizes.enumerated() {
      let tables = LATTICE.tables(
        userCount: users, itemCount: items, modalities: [("visual", 4096), ("text", 384)],
        embeddingSize: 64)
      #expect(tables.reduce(0) { $0 + $1.parameterCount } == expected[index])
    }
  }
}
