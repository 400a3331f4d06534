import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MGCN and SOIL compared with the numbers of their reference implementations.
@Suite struct MultiViewGoldenTests {
  static let cases = [mgcn, soil]

  static let mgcn = GoldenCase(
    file: "mgcn",
    names: ["P", "Q", "q.W", "q.b", "q.a"]
      + ["L_v.W", "L_v.b", "g_v.W", "g_v.b", "g2_v.W", "g2_v.b", "V"]
      + ["L_t.W", "L_t.b", "g_t.W", "g_t.b", "g2_t.W", "g2_t.b", "T"],
    parts: [
      .init(stored: "bpr", terms: ["ranking"]),
      // The stored norm term includes its weight, .01.
      .init(stored: "emb_weighted", terms: ["norms"], divisor: 100),
      .init(stored: "infonce_item", terms: ["contrast.item"]),
      .init(stored: "infonce_user", terms: ["contrast.user"]),
    ]
  ) { data, golden in try makeMGCN(data, golden) }

  static func makeMGCN(
    _ data: TinyData, _ golden: Golden, trainsFeatures: Bool = true
  ) throws -> MGCN {
    var settings = SettingValues<MGCN.Settings>()
    settings.regularization = try golden.number("loss/reg_weight")
    settings.layers = Int(try golden.number("config/L"))
    settings.contrastiveWeight = try golden.number("loss/c")
    settings.trainsFeatures = trainsFeatures
    let graphs = ViewGraphs(
      adjacency: try golden.sparse("graphs/A_hat"), userItem: try golden.sparse("graphs/R_hat"),
      itemItem: try ["M_v", "M_t"].map { try golden.sparse("graphs/\($0)") })
    return MGCN(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")),
      batchSize: Int(try golden.number("loss/configured_batch")), settings: settings,
      graphs: { graphs })
  }

  static let soil = GoldenCase(
    file: "soil",
    names: ["P", "Q", "q.W", "q.b", "q.a", "L_v.W", "L_v.b", "g_v.W", "g_v.b"]
      + ["L_t.W", "L_t.b", "g_t.W", "g_t.b"],
    parts: [
      .init(stored: "bpr", terms: ["ranking"]),
      .init(stored: "infonce_side_item_vs_C", terms: ["contrast.item"]),
      .init(stored: "infonce_side_user_vs_C", terms: ["contrast.user"]),
      .init(stored: "infonce_Uhat_vs_C_p", terms: ["contrast.joint.content"]),
      .init(stored: "infonce_Uhat_vs_side_p", terms: ["contrast.joint.side"]),
    ]
  ) { data, golden in
    var settings = SettingValues<SOIL.Settings>()
    settings.layers = Int(try golden.number("config/L"))
    settings.contrastiveWeight = try golden.number("loss/c1")
    settings.jointContrastiveWeight = try golden.number("loss/c2")
    let graphs = ViewGraphs(
      adjacency: try golden.sparse("graphs/A_prime"),
      userItem: try golden.sparse("graphs/R_prime"),
      itemItem: try ["M_v", "M_t"].map { try golden.sparse("graphs/\($0)") })
    return SOIL(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")), settings: settings, graphs: { graphs })
  }

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: GoldenCase) throws { try test.checkGradients() }

  @Test("losses, parameters and scores over three Adam steps", arguments: cases)
  func adam(test: GoldenCase) throws { try test.checkAdam() }

  @Test("final user and item matrices", arguments: cases)
  func finalMatrices(test: GoldenCase) throws { try test.checkFinal() }

  @Test("the gradient of the whole loss against central differences", arguments: cases)
  func centralDifferences(test: GoldenCase) throws { #expect(try test.gradientError() < 2e-2) }

  @Test("parameter counts on the sizes of Baby, Sports and Clothing")
  func parameterCounts() {
    let modalities = [(name: "visual", width: 4096), (name: "text", width: 384)]
    let mgcn = [33_587_392, 86_000_192, 107_490_432]
    let soil = [1_995_072, 3_752_512, 4_294_272]
    // With the frozen features, as the reference prints it.
    let soilPrinted = [33_579_072, 85_991_872, 107_482_112]
    func count(_ tables: [TableSpec]) -> Int { tables.reduce(0) { $0 + $1.parameterCount } }
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    for (index, (users, items)) in sizes.enumerated() {
      let features = items * (4096 + 384)
      let trained = MGCN.tables(
        userCount: users, itemCount: items, modalities: modalities, embeddingSize: 64)
      #expect(count(trained) == mgcn[index])
      let frozen = MGCN.tables(
        userCount: users, itemCount: items, modalities: modalities, embeddingSize: 64,
        trainsFeatures: false)
      #expect(count(frozen) == mgcn[index] - features)
      let ours = SOIL.tables(
        userCount: users, itemCount: items, modalities: modalities, embeddingSize: 64)
      #expect(count(ours) == soil[index])
      #expect(count(ours) + features == soilPrinted[index])
    }
  }
}
