import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// SMORE compared with the numbers of its authors' code.
@Suite struct SMORETests {
  static let golden = GoldenCase(
    file: "smore",
    names: ["P", "Q"] + modality("V", "v") + modality("T", "t")
      + ["w_f", "g_f.W", "g_f.b", "p_f.W", "p_f.b"],
    parts: [
      .init(stored: "bpr", terms: ["ranking"]),
      .init(stored: "reg_unweighted", terms: ["norms"]),
      .init(stored: "infonce_item", terms: ["contrast.item"]),
      .init(stored: "infonce_user", terms: ["contrast.user"]),
    ]
  ) { data, golden in try make(data, golden) }

  private static func modality(_ features: String, _ name: String) -> [String] {
    [features]
      + ["L_\(name).W", "L_\(name).b", "w_\(name)", "g_\(name).W", "g_\(name).b", "p_\(name).W"]
      + ["p_\(name).b", "q_\(name).W", "q_\(name).b", "q_\(name).A"]
  }

  static func make(
    _ data: TinyData, _ golden: Golden, contrast: Double? = nil
  ) throws -> SMORE {
    var settings = SettingValues<SMORE.Settings>()
    settings.layers = Int(try golden.number("config/L"))
    settings.regularization = try golden.number("config/lambda")
    settings.contrastiveWeight = try contrast ?? golden.number("config/cl_weight")
    settings.viewDropout = try golden.number("config/dropout")
    let graphs = ViewGraphs(
      adjacency: try golden.sparse("graphs/A_hat"), userItem: try golden.sparse("graphs/R_hat"),
      itemItem: try ["M_v", "M_t", "M_f"].map { try golden.sparse("graphs/\($0)") })
    let kept = try ["v", "t", "f"].map { try golden.matrix("draws/keep/\($0)") }
    let userCount = data.userCount
    return SMORE(
      userCount: userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")),
      batchSize: Int(try golden.number("config/configured_batch")), settings: settings,
      draws: { view, side, ids, _, target in
        for (row, id) in ids.enumerated() {
          let node = Int(id) + (side == .user ? 0 : userCount)
          for column in 0..<target.columns { target[row, column] = kept[view][node, column] }
        }
      }, graphs: { graphs })
  }

  @Test("loss parts and the gradient of every parameter")
  func gradients() throws { try Self.golden.checkGradients() }

  @Test("losses, parameters and scores over three Adam steps")
  func adam() throws { try Self.golden.checkAdam() }

  @Test("final user and item matrices, in which nothing is dropped")
  func finalMatrices() throws { try Self.golden.checkFinal() }

  @Test("the gradient of the whole loss against central differences")
  func centralDifferences() throws { #expect(try Self.golden.gradientError() < 2e-2) }

  @Test("the loss and the gradients of shards add up, but for contrasts")
  func shards() throws {
    let test = GoldenCase(file: "smore", names: Self.golden.names, parts: []) {
      try Self.make($0, $1, contrast: 0)
    }
    try test.checkShards()
  }

  @Test("MRdIB: nothing changes when it is off, and it trains every table when it is on")
  func objective() throws {
    try Self.golden.checkMRdIBSwitchedOff()
    try Self.golden.checkMRdIB()
  }

  private func fromData(
    modalities: Int = 2, _ change: (inout SettingValues<SMORE.Settings>) -> Void = { _ in }
  ) throws -> TrainingModel {
    let data = try TinyData().dataset()
    var settings = SettingStore(embeddingSize: 8, regularization: 0.1)
    settings[CommonSettings.itemNeighbours] = 3
    change(&settings[SMORE.Settings.self])
    var input = ModelInput(data, graphs: GraphStore(dataset: data, cacheFolder: nil))
    input.features = Array(input.features[..<modalities])
    return try ModelRegistry.make(
      "smore", input: input, settings: settings, objective: nil, seed: 1)
  }

  @Test("what is dropped changes with the step and is alike in all shards; none without a share")
  func draws() throws {
    let loaded = try Self.golden.load()
    func total(_ model: TrainingModel, step: Int, shard: Int = 0) throws -> Double {
      let context = StepContext(seed: 1, epoch: 0, step: step, shard: shard)
      return try #require(
        loaded.parameters.gradients(model, loaded.data.batch, context: context).shares["total"])
    }
    let model = try fromData { $0.viewDropout = 0.4 }
    #expect(try total(model, step: 0) == total(model, step: 0, shard: 3))
    #expect(try total(model, step: 0) != total(model, step: 1))
    let plain = try fromData { $0.viewDropout = 0 }
    #expect(try total(plain, step: 0) == total(plain, step: 1))
  }

  @Test("each modality's graph has its own number of neighbours; one modality is enough")
  func neighbours() throws {
    let parameters = PlainParameters.initial(of: try fromData(), seed: 1)
    let few = parameters.finalVectors(try fromData { $0.otherItemNeighbours = 2 })
    let many = parameters.finalVectors(try fromData { $0.otherItemNeighbours = 5 })
    #expect(relativeDifference(few.item, many.item) > 1e-3)
    let single = try fromData(modalities: 1)
    let final = PlainParameters.initial(of: single, seed: 1).finalVectors(single)
    #expect(elements(final.user).allSatisfy { $0.isFinite })
    let frozen = try fromData { $0.trainsFeatures = false }
    #expect(frozen.tables.count == parameters.tables.count - 2)
  }

  @Test("parameter counts on the sizes of Baby, Sports and Clothing")
  func parameterCounts() {
    let expected = [33_608_198, 86_020_998, 107_511_238]
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    for (index, (users, items)) in sizes.enumerated() {
      let tables = SMORE.tables(
        userCount: users, itemCount: items, modalities: [("visual", 4096), ("text", 384)],
        embeddingSize: 64)
      #expect(tables.reduce(0) { $0 + $1.parameterCount } == expected[index])
    }
  }
}
