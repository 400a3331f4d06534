import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MENTOR compared with the numbers of its authors' code.
@Suite struct MENTORTests {
  /// Golden names of the tables, in the model's order.
  static let names =
    ["w_u"] + branches("v", "t") + ["kappa"] + branches("id", "v1", "t1", "v2", "t2")
    + maskNames
  static let maskNames = ["mlp.W", "mlp.b"]

  static func branches(_ names: String...) -> [String] { names.flatMap(COHESIONTests.branch) }

  static let cases = [golden("faithful"), golden("mask_with_gradient")]

  static func golden(_ name: String) -> GoldenCase {
    let hasGradient = name == "mask_with_gradient"
    return GoldenCase(
      file: "mentor", folder: "cases/\(name)", parameters: "cases/faithful/params",
      names: names, withoutGradient: hasGradient ? [] : Set(maskNames),
      parts: [
        .init(stored: "bpr2", terms: ["ranking"], divisor: 0.6931471805599453),
        .init(stored: "reg_unweighted", terms: ["regularization"]),
        .init(stored: "align_unweighted", terms: ["align"]),
        .init(stored: "mask_unweighted", terms: ["mask"]),
        .init(stored: "infonce_users", terms: ["contrast.user"]),
        .init(stored: "infonce_items", terms: ["contrast.item"]),
      ],
      scoresAfter: "scores_after_fresh", contentWidth: 8
    ) { data, golden in
      var settings = try settings(golden)
      settings.hasMaskGradient = hasGradient
      return try make(data, golden, settings)
    }
  }

  static func settings(_ golden: Golden) throws -> SettingValues<MENTOR.Settings> {
    var settings = SettingValues<MENTOR.Settings>()
    settings.regularization = try golden.number("config/lambda")
    settings.alignmentWeight = try golden.number("config/align_weight")
    settings.maskWeight = try golden.number("config/mask_weight_f")
    settings.contrastiveWeight = try golden.number("config/mask_weight_g")
    settings.temperature = try golden.number("config/tau")
    settings.maskShare = try golden.number("config/dropout")
    return settings
  }

  static func make(
    _ data: TinyData, _ golden: Golden, _ settings: SettingValues<MENTOR.Settings>,
    storedDraws: Bool = true
  ) throws -> MENTOR {
    let adjacency = try golden.sparse("graphs/A_hat")
    let items = try golden.sparse("graphs/M")
    var noise: [String: Matrix] = [:]
    for name in ["v1.1", "v1.2", "v2.1", "v2.2", "t1.1", "t1.2", "t2.1", "t2.2"] {
      noise[name] = try golden.matrix("draws/noise/\(name)")
    }
    let keep = [
      Side.user: try golden.matrix("draws/dropout_keep/user"),
      Side.item: try golden.matrix("draws/dropout_keep/item"),
    ]
    let (all, kept) = (noise, keep)
    let draws = MENTOR.Draws(
      noise: { draw, _, target in
        let name = "\(["v", "t"][draw.modality])\(draw.copy + 1).\(draw.propagation)"
        if let stored = all[name] { target.copy(from: stored) }
      },
      mask: { side, share, _, target in
        guard let stored = kept[side] else { return }
        for index in 0..<target.count {
          target.pointer[index] = stored.pointer[index] / (1 - share)
        }
      })
    return MENTOR(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")), settings: settings, seed: 1,
      draws: storedDraws ? draws : .counterBased, adjacency: { adjacency }, items: { items })
  }

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: GoldenCase) throws { try test.checkGradients() }

  @Test("losses, parameters and fresh scores over three Adam steps", arguments: cases)
  func adam(test: GoldenCase) throws { try test.checkAdam() }

  @Test(
    "stale ranking: an evaluation ranks with the forward pass before the last step",
    arguments: cases)
  func staleRanking(test: GoldenCase) throws { try test.checkStaleScores() }

  @Test("final user and item matrices", arguments: cases)
  func finalMatrices(test: GoldenCase) throws { try test.checkFinal() }

  @Test("the loss and the gradients of shards add up", arguments: cases)
  func shards(test: GoldenCase) throws { try test.checkShards() }

  @Test("MRdIB with all weights 0 and no sampling: the bits of the plain model", arguments: cases)
  func switchedOff(test: GoldenCase) throws { try test.checkMRdIBSwitchedOff() }

  @Test("MRdIB trains every table that the model trains", arguments: cases)
  func objective(test: GoldenCase) throws { try test.checkMRdIB() }

  /// Loss parts with draws of our own, in one step.
  private func shares(
    seed: UInt64 = 1, epoch: Int = 0, step: Int = 0, storedDraws: Bool = false,
    _ change: (inout SettingValues<MENTOR.Settings>) -> Void = { _ in }
  ) throws -> [String: Double] {
    let golden = try Golden("mentor")
    let data = try TinyData()
    var settings = try Self.settings(golden)
    change(&settings)
    let model = TrainingModel(
      backbone: try Self.make(data, golden, settings, storedDraws: storedDraws), objective: nil,
      userCount: data.userCount, itemCount: data.itemCount)
    let stored = Dictionary(
      uniqueKeysWithValues: zip(
        try Self.make(data, golden, Self.settings(golden)).tables.map(\.name), Self.names))
    let tables = try model.tables.prefix(model.backbone.tables.count).map {
      try golden.matrix("cases/faithful/params/\(stored[$0.name] ?? $0.name)")
    }
    let rest = model.tables[tables.count...].map { Matrix(rows: $0.rows, columns: $0.width) }
    return PlainParameters(tables: tables + rest).gradients(
      model, data.batch, context: StepContext(seed: seed, epoch: epoch, step: step)
    ).shares
  }

  @Test("draws depend on seed, epoch and step, and only the noisy terms on the draws")
  func draws() throws {
    let first = try shares()
    #expect(try shares() == first)
    for other in [try shares(seed: 2), try shares(epoch: 1), try shares(step: 1)] {
      for part in ["mask", "contrast.user", "contrast.item"] { #expect(other[part] != first[part]) }
      for part in ["ranking", "regularization", "align"] { #expect(other[part] == first[part]) }
    }
  }

  @Test("terms of weight 0 are left out, and what they need with them")
  func leftOut() throws {
    let all = try shares(storedDraws: true)
    let few = try shares {
      $0.alignmentWeight = 0
      $0.maskWeight = 0
      $0.contrastiveWeight = 0
    }
    #expect(few["ranking"] == all["ranking"] && few["regularization"] == all["regularization"])
    #expect(Set(few.keys) == ["total", "ranking", "regularization"])
  }

  @Test("contrasts among a batch's rows are other numbers; the rest is the same")
  func batchScope() throws {
    let all = try shares(storedDraws: true)
    let batch = try shares(storedDraws: true) { $0.scope = .batch }
    #expect(batch.keys == all.keys)
    for part in ["contrast.user", "contrast.item"] {
      let (found, whole) = (try #require(batch[part]), try #require(all[part]))
      // Fewer candidates are easier to distinguish.
      #expect(found > 0 && found < whole)
    }
    for part in ["ranking", "align", "mask"] { #expect(batch[part] == all[part]) }
  }

  @Test("with graphs of the data set, the stored numbers that no draw affects")
  func registry() throws {
    let golden = try Golden("mentor")
    var store = SettingStore(embeddingSize: 8, regularization: 0.1)
    store[CommonSettings.itemNeighbours] = 3
    let data = try TinyData().dataset()
    let model = try ModelRegistry.make(
      "mentor", input: ModelInput(data, graphs: GraphStore(dataset: data, cacheFolder: nil)),
      settings: store, objective: nil, seed: 1)
    let loaded = try Self.cases[0].load()
    #expect(model.tables == loaded.model.tables)
    let final = loaded.parameters.finalVectors(model)
    for (found, name) in [(final.user, "user"), (final.item, "item")] {
      let stored = try golden.matrix("cases/faithful/ranking/\(name)")
      #expect(relativeDifference(found, stored) < 1e-5, "\(name)")
    }
  }

  @Test("parameter counts: those that ranking reads, and those with a gradient")
  func parameterCounts() {
    let ranking = [3_708_138, 5_808_028, 6_300_598]
    let trained = [12_775_402, 20_767_900, 22_772_214]
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    for (index, (users, items)) in sizes.enumerated() {
      let tables = MENTOR.tables(
        userCount: users, itemCount: items, modalities: [("visual", 4096), ("text", 384)],
        embeddingSize: 64)
      func count(_ tables: some Sequence<TableSpec>) -> Int {
        tables.reduce(0) { $0 + $1.parameterCount }
      }
      #expect(count(tables.filter { !$0.name.hasPrefix("mask.") }) == trained[index])
      #expect(count(tables.filter { $0.name.hasPrefix("mask.") }) == 128 * 128 + 128)
      // w and two branches of five tables.
      #expect(count(tables.prefix(11)) == ranking[index])
    }
  }
}
