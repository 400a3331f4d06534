import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// Backbones compared with the numbers of the reference toolbox.
@Suite struct BackboneGoldenTests {
  static let cases = [
    bpr, vbpr, lightGCN, freedom("dropout0"), freedom("given_kept_edges"), grcn, bm3,
  ]

  /// The stored norm term is divided by the batch size already.
  private static let pairwiseParts: [GoldenCase.Part] = [
    .init(stored: "bpr", terms: ["ranking"]), .init(stored: "emb", terms: ["norms"], divisor: 6),
  ]

  private static let bpr = GoldenCase(
    file: "bpr", names: ["P", "Q"], parts: pairwiseParts
  ) { data, golden in
    BPR(
      userCount: data.userCount, itemCount: data.itemCount,
      embeddingSize: Int(try golden.number("config/d")),
      regularization: Float(try golden.number("config/lambda")))
  }

  private static let vbpr = GoldenCase(
    file: "vbpr", names: ["P", "Q", "W", "b"], parts: pairwiseParts
  ) { data, golden in
    VBPR(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")),
      regularization: Float(try golden.number("config/lambda")))
  }

  private static let lightGCN = GoldenCase(
    file: "lightgcn", names: ["P", "Q"], parts: pairwiseParts
  ) { data, golden in
    let adjacency = try golden.sparse("graphs/A_hat")
    return LightGCN(
      userCount: data.userCount, itemCount: data.itemCount,
      embeddingSize: Int(try golden.number("config/d")),
      layers: Int(try golden.number("config/L")),
      regularization: Float(try golden.number("config/lambda")), adjacency: { adjacency })
  }

  static func freedom(_ name: String) -> GoldenCase {
    GoldenCase(
      file: "freedom", folder: "cases/\(name)", parameters: "cases/dropout0/params",
      names: ["P", "Q", "V", "L_v.W", "L_v.b", "T", "L_t.W", "L_t.b"],
      withoutGradient: ["L_v.b", "L_t.b"],
      parts: [
        .init(stored: "bpr", terms: ["ranking"]),
        .init(stored: "bpr_visual", terms: ["auxiliary.visual"]),
        .init(stored: "bpr_text", terms: ["auxiliary.text"]),
      ]
    ) { data, golden in
      var settings = SettingValues<FREEDOM.Settings>()
      settings.layers = Int(try golden.number("config/L"))
      settings.regularization = try golden.number("config/lambda")
      let items = try golden.sparse("graphs/M")
      let sampled = try golden.sparse("cases/\(name)/graphs/A_tilde")
      let whole = try golden.sparse("graphs/A_hat")
      return FREEDOM(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features,
        embeddingSize: Int(try golden.number("config/d")), settings: settings,
        itemLayers: Int(try golden.number("config/n_mm")),
        graphs: .init(items: { items }, sampled: { _ in sampled }, whole: { whole }))
    }
  }

  static let bm3 = GoldenCase(
    file: "bm3", names: ["P", "Q", "h.W", "h.b", "V", "L_v.W", "L_v.b", "T", "L_t.W", "L_t.b"],
    parts: [
      .init(stored: "prediction", terms: ["prediction.item", "prediction.user"]),
      // The stored number is divided by the number of items.
      .init(stored: "reg_unweighted", terms: ["norms"], divisor: 9),
      .init(
        stored: "modalities_unweighted",
        terms: ["alignment.visual", "masked.visual", "alignment.text", "masked.text"]),
    ], stopsGradients: true
  ) { data, golden in
    var settings = SettingValues<BM3.Settings>()
    settings.layers = Int(try golden.number("config/L"))
    settings.regularization = try golden.number("config/lambda")
    settings.contrastiveWeight = try golden.number("config/cl_weight")
    settings.targetDropout = try golden.number("config/dropout")
    let adjacency = try golden.sparse("graphs/A_hat")
    let user = try golden.matrix("draws/keep/user")
    let item = try golden.matrix("draws/keep/item")
    let modalities = try data.features.map { try golden.matrix("draws/keep/\($0.name)") }
    return BM3(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")), settings: settings,
      adjacency: { adjacency },
      keptElements: { target, rows, _ in
        let stored =
          switch target {
          case .user: user
          case .item: item
          case .modality(let index): modalities[index]
          }
        return Matrix(
          rows: rows.count, columns: stored.columns,
          elements: rows.flatMap { Array(stored.row(Int($0))) })
      })
  }

  @Test("BM3's shards add up, and MRdIB without its terms changes no bit of it")
  func bm3Contract() throws {
    try Self.bm3.checkShards()
    try Self.bm3.checkMRdIBSwitchedOff()
    try Self.bm3.checkMRdIB()
  }

  @Test("BM3 drops a share of a target's elements, others in each step, the same in every shard")
  func bm3Dropout() throws {
    let data = try TinyData()
    let golden = try Golden("bm3")
    let adjacency = try golden.sparse("graphs/A_hat")
    func total(step: Int, dropout: Double, shard: Int = 0) throws -> Double {
      var settings = SettingValues<BM3.Settings>()
      settings.targetDropout = dropout
      let backbone = BM3(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features,
        embeddingSize: 8, settings: settings, adjacency: { adjacency })
      let model = TrainingModel(
        backbone: backbone, objective: nil, userCount: data.userCount, itemCount: data.itemCount)
      let loaded = try Self.bm3.load()
      let shares = loaded.parameters.gradients(
        model, data.batch, context: StepContext(seed: 1, epoch: 0, step: step, shard: shard)
      ).shares
      return try #require(shares["total"])
    }
    #expect(try total(step: 0, dropout: 0.5) == total(step: 0, dropout: 0.5, shard: 3))
    #expect(try total(step: 0, dropout: 0.5) != total(step: 1, dropout: 0.5))
    #expect(try total(step: 0, dropout: 0) == total(step: 1, dropout: 0))
    #expect(try total(step: 0, dropout: 0.5) != total(step: 0, dropout: 0))
  }

  static let grcn = GoldenCase(
    file: "grcn",
    names: ["kappa", "e", "v.Phi", "v.T.W", "v.T.b", "t.Phi", "t.T.W", "t.T.b"],
    parts: [
      .init(stored: "bpr", terms: ["ranking"]),
      .init(
        stored: "reg_unweighted",
        terms: ["squares.id", "squares.preference", "squares.visual", "squares.text"]),
    ],
    scoresAfter: "scores_after_fresh", differenceStep: 1e-3
  ) { data, golden in
    var settings = SettingValues<GRCN.Settings>()
    settings.regularization = try golden.number("config/lambda")
    return try makeGRCN(data, settings, embeddingSize: Int(try golden.number("config/d")))
  }

  static func makeGRCN(
    _ data: TinyData, _ settings: SettingValues<GRCN.Settings>, embeddingSize: Int = 8
  ) throws -> GRCN {
    let golden = try Golden("grcn")
    let users = try golden.integers("graphs/edges_user")
    let items = try golden.integers("graphs/edges_item")
    let (userCount, itemCount) = (data.userCount, data.itemCount)
    let pairs = zip(users, items).map { (row: $0, column: $1, value: Float(1)) }
    let shifted = pairs.map {
      (row: $0.row, column: $0.column + Int32(userCount), value: $0.value)
    }
    return GRCN(
      userCount: userCount, itemCount: itemCount, features: data.features,
      embeddingSize: embeddingSize, settings: settings,
      adjacency: {
        SparseMatrix(
          rows: userCount + itemCount, columns: userCount + itemCount,
          entries: shifted + shifted.map { (row: $0.column, column: $0.row, value: $0.value) })
      },
      userItem: { SparseMatrix(rows: userCount, columns: itemCount, entries: pairs) })
  }

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: GoldenCase) throws { try test.checkGradients() }

  @Test("losses, parameters and scores over three Adam steps", arguments: cases)
  func adam(test: GoldenCase) throws { try test.checkAdam() }

  @Test("final user and item matrices", arguments: cases)
  func finalMatrices(test: GoldenCase) throws { try test.checkFinal() }

  @Test(
    "the gradient of the whole loss against central differences",
    arguments: cases.filter { !$0.stopsGradients })
  func centralDifferences(test: GoldenCase) throws {
    #expect(try test.gradientError() < 1e-2)
  }

  @Test("parameter counts on the sizes of Baby, Sports and Clothing")
  func parameterCounts() {
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    let modalities = [(name: "visual", width: 4096), (name: "text", width: 384)]
    let plain = [1_695_680, 3_453_120, 3_994_880]
    let vbpr = [3_226_944, 6_018_176, 6_802_432]
    let freedom = [33_566_528, 85_979_328, 107_469_568]
    let grcn = [4_524_478, 8_404_422, 9_448_104]
    func count(_ tables: [TableSpec]) -> Int { tables.reduce(0) { $0 + $1.parameterCount } }
    for (index, (users, items)) in sizes.enumerated() {
      let bpr = BPR(
        userCount: users, itemCount: items, embeddingSize: 64, regularization: 0)
      #expect(count(bpr.tables) == plain[index])
      #expect(
        count(LightGCN.tables(userCount: users, itemCount: items, embeddingSize: 64))
          == plain[index])
      #expect(
        count(
          VBPR.tables(
            userCount: users, itemCount: items, featureWidth: 4096 + 384, embeddingSize: 64))
          == vbpr[index])
      #expect(
        count(
          FREEDOM.tables(
            userCount: users, itemCount: items, modalities: modalities, embeddingSize: 64))
          == freedom[index])
      #expect(
        count(
          GRCN.tables(
            userCount: users, itemCount: items, modalities: modalities, embeddingSize: 64))
          == grcn[index])
    }
  }
}
