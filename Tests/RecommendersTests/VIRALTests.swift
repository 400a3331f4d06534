import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// VIRAL compared with the numbers of its authors' code.
@Suite struct VIRALTests {
  private static func layers(_ name: String, _ parts: [String]) -> [String] {
    parts.flatMap { ["\(name).\($0).W", "\(name).\($0).b"] }
  }

  private static func block(_ name: String) -> [String] {
    layers(name, ["v", "o", "ffn1", "ffn2"])
      + ["ln0", "ln1", "lnf"].flatMap { ["\(name).\($0).gain", "\(name).\($0).shift"] }
  }

  private static func branch(_ name: String, isDeep: Bool = true) -> [String] {
    ["\(name).Phi"] + layers(name, isDeep ? ["mlp1", "mlp2"] : ["mlp1"])
  }

  private static let synergyBlocks = (1...4).flatMap { block("syn.te\($0)") }

  /// Golden names of the tables, in the model's order.
  private static func names(_ fusion: VIRAL.Fusion, isWeighted: Bool) -> [String] {
    let weights = isWeighted ? ["w_u"] : []
    switch fusion {
    case .full:
      return synergyBlocks + layers("red", ["lin"]) + block("red.te") + branch("t") + branch("s")
        + branch("v", isDeep: false) + weights
    case .synergy: return synergyBlocks + branch("v") + branch("s") + branch("t") + weights
    case .concat: return branch("v") + branch("t") + weights
    case .visualOnly, .textOnly: return synergyBlocks + branch("v") + branch("s") + weights
    }
  }

  private static func golden(
    _ name: String, _ fusion: VIRAL.Fusion, graph: String = "graphs/M", visual: VIRAL.Visual = .vlm,
    scope: VIRAL.ContrastScope = .all, isWeighted: Bool = true
  ) -> GoldenCase {
    let agreements =
      switch fusion {
      case .full: ["synergy": "L_s", "redundancy": "L_r"]
      case .synergy: ["synergy": "L_s"]
      default: [String: String]()
      }
    let projection = visual == .raw ? ["proj.W", "proj.b"] : []
    return GoldenCase(
      file: "viral", folder: "cases/\(name)", otherParameters: "cases/full/params",
      names: projection + names(fusion, isWeighted: isWeighted),
      parts: [
        .init(stored: "bpr2", terms: ["ranking"], divisor: 0.6931471805599453),
        .init(stored: "reg_unweighted", terms: ["regularization"]),
      ] + agreements.map { .init(stored: $1, terms: ["agreement.\($0)"]) },
      scoresAfter: "scores_after_fresh", differenceStep: 1e-3, contentWidth: 8
    ) { data, golden in
      var settings = SettingValues<VIRAL.Settings>()
      settings.fusion = fusion
      settings.visual = visual
      settings.scope = scope
      settings.weighsConcatenation = isWeighted
      settings.regularization = try golden.number("config/lambda")
      settings.agreementWeight = try golden.number("config/lambda_pid")
      let vlm = try FeatureMatrix(name: "visual", matrix: golden.matrix("features/vlm"))
      let adjacency = try Golden("dualgnn").sparse("graphs/A_hat_defined_here_exact")
      let items = try golden.sparse(graph)
      let users = try golden.sparse(
        "cases/\(name == "full_k40_padded" ? name : "full")/Omega")
      return try VIRAL(
        userCount: data.userCount, vision: visual == .raw ? data.features[0] : vlm,
        text: data.features[1], embeddingSize: Int(try golden.number("config/d")),
        settings: settings, seed: 1,
        graphs: .init(adjacency: { adjacency }, items: { items }, users: { _ in users }))
    }
  }

  static let full = golden("full", .full)
  static let synergy = golden("synergy", .synergy)
  static let batchScope = golden("full_nce_batch_defined_here", .full, scope: .batch)
  static let concat = golden("concat", .concat, isWeighted: false)
  static let single = [
    golden("visual_only", .visualOnly, graph: "graphs/M_v"),
    golden("text_only", .textOnly, graph: "graphs/M_t"),
  ]
  static let pairs = [
    full, golden("full_k40_padded", .full),
    golden(
      "full_raw_visual_projected_defined_here", .full,
      graph: "cases/full_raw_visual_projected_defined_here/M", visual: .raw),
    synergy, concat,
    golden("concat_weighted_defined_here", .concat),
  ]
  static let cases = pairs + single + [batchScope]

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: GoldenCase) throws { try test.checkGradients() }

  @Test("final user and item matrices", arguments: cases)
  func finalMatrices(test: GoldenCase) throws { try test.checkFinal() }

  @Test("losses, parameters and fresh scores over three Adam steps", arguments: [full, synergy])
  func adam(test: GoldenCase) throws { try test.checkAdam() }

  @Test(
    "stale ranking: an evaluation ranks with the forward pass before the last step",
    arguments: [full, synergy])
  func staleRanking(test: GoldenCase) throws { try test.checkStaleScores() }

  /// The stored gradients of all cases agree with central differences in double precision. In single
  /// precision the losses of the other cases are too large for differences that avoid the corners.
  @Test("the gradient of the whole loss against central differences")
  func centralDifferences() throws {
    #expect(try Self.concat.gradientError() < 2e-2)
  }

  @Test(
    "the loss and the gradients of shards add up, with negatives that are all items",
    arguments: pairs + single)
  func shards(test: GoldenCase) throws { try test.checkShards() }

  @Test("MRdIB with all weights 0 and no sampling: the bits of the plain model", arguments: pairs)
  func switchedOff(test: GoldenCase) throws { try test.checkMRdIBSwitchedOff() }

  @Test("MRdIB trains every table", arguments: pairs)
  func objective(test: GoldenCase) throws { try test.checkMRdIB() }

  /// The shares of the score by part, computed from the final vectors.
  private static func shares(_ loaded: GoldenCase.Loaded) -> [Double] {
    let final = loaded.parameters.finalVectors(loaded.model)
    let parts = loaded.model.backbone.scoreParts
    let batch = loaded.data.batch
    var shares = [Double](repeating: 0, count: parts.count)
    for (user, item) in zip(batch.users, batch.positives) {
      let scores = parts.map { part in
        part.columns.reduce(0.0) { sum, column in
          let all = (0..<final.item.rows).map { Double(final.item[$0, column]) }
          let centred = Double(final.item[Int(item), column]) - all.reduce(0, +) / Double(all.count)
          return sum + Double(final.user[Int(user), column]) * centred
        }
      }
      let total = scores.map(abs).reduce(0, +)
      for part in parts.indices { shares[part] += abs(scores[part]) / total / Double(batch.count) }
    }
    return shares
  }

  @Test("the parts' shares of the score are those of the vectors that rank, and add up to 1")
  func decomposition() throws {
    for (test, names) in [
      (Self.full, ["text", "synergy", "visual"]), (Self.synergy, ["visual", "synergy", "text"]),
      (Self.concat, ["visual", "text"]),
    ] {
      let loaded = try test.load()
      let statistics = loaded.gradients().loss.statistics
      let found = statistics.filter { $0.key.hasPrefix("share.") }
      #expect(abs(found.values.reduce(0, +) - 1) < 1e-5, "\(test): \(found)")
      for (name, share) in zip(names, Self.shares(loaded)) {
        let parts =
          test.testDescription != Self.full.testDescription
          ? [name]
          : name == "text"
            ? ["redundant", "unique.text"] : [name == "visual" ? "unique.visual" : name]
        let sum = parts.map { found["share.\($0)"] ?? .nan }.reduce(0, +)
        #expect(abs(sum - share) < 1e-5, "\(test), \(name): \(sum) and \(share)")
      }
      let redundant = statistics.filter { $0.key.hasPrefix("redundant.") }
      #expect(redundant.count == (test.testDescription == Self.full.testDescription ? 2 : 0))
      #expect(redundant.values.allSatisfy { (0...1).contains($0) && $0 != 0 })
    }
  }

  @Test("the statistics of shards add up to those of the batch")
  func decompositionOfShards() throws {
    let loaded = try Self.full.load()
    let batch = loaded.data.batch
    let whole = loaded.gradients().loss.statistics
    #expect(whole.count == 6)
    let parts = [0..<2, 2..<batch.count].map { range in
      loaded.parameters.gradients(
        loaded.model,
        TripletBatch(
          users: Array(batch.users[range]), positives: Array(batch.positives[range]),
          negatives: Array(batch.negatives[range]), globalCount: batch.count),
        context: loaded.context
      ).loss.statistics
    }
    for (name, value) in whole {
      #expect(abs(parts.reduce(0) { $0 + ($1[name] ?? .nan) } - value) < 1e-6, "\(name)")
    }
  }

  @Test("what vision repeats of the redundancy is what taking it out removes")
  func redundantVision() throws {
    // With r along v, v is all redundant; the model removes all of it.
    let tape = Tape()
    let v = tape.constant(randomMatrix(5, 4, seed: 3))
    let r = tape.constant(randomMatrix(5, 4, seed: 4))
    let part = tape.orthogonalPart(of: v, to: r).value
    let (model, _) = try Self.model(sizes: (6, 6))
    let viral = try #require(model.backbone as? VIRAL)
    let items = tape.constant(randomMatrix(5, 24, seed: 5))
    let found = viral.decomposition(on: tape, items: items, of: (v, v, r))
    let overlaps = found[1].value
    for row in 0..<5 {
      let left = (0..<4).reduce(0.0) { $0 + Double(part[row, $1] * part[row, $1]) }
      let whole = (0..<4).reduce(0.0) { $0 + Double(v.value[row, $1] * v.value[row, $1]) }
      #expect(abs(Double(overlaps[row, 1]) - (1 - left / whole)) < 1e-5)
    }
    let same = viral.decomposition(on: tape, items: items, of: (v, v, v))[1].value
    #expect(elements(same).allSatisfy { abs($0 - 1) < 1e-5 })
  }

  @Test("a detached redundancy: the unique vision does not train its block, L_r does")
  func detached() throws {
    let loaded = try Self.full.load()
    func gradient(detaches: Bool, weight: Double) throws -> Float {
      let (model, _) = try Self.model(sizes: (6, 6)) {
        $0.detachesRedundancy = detaches
        $0.agreementWeight = weight
      }
      let table = try #require(model.tables.firstIndex { $0.name == "redundancy.map.weight" })
      let gradients = loaded.parameters.gradients(
        model, loaded.data.batch, context: loaded.context
      ).gradients
      return elements(gradients[table]).map(abs).max() ?? 0
    }
    #expect(try gradient(detaches: false, weight: 0) > 1e-5)
    #expect(try gradient(detaches: true, weight: 0) == 0)
    #expect(try gradient(detaches: true, weight: 0.1) > 1e-5)
  }

  // MARK: From a data set

  /// A model of features `visual` and `text` with these widths.
  private static func model(
    sizes: (visual: Int, text: Int), objective: SettingValues<MRdIB.Settings>? = nil,
    _ change: (inout SettingValues<VIRAL.Settings>) -> Void = { _ in }
  ) throws -> (model: TrainingModel, data: TinyData) {
    let data = try TinyData()
    let features = try [("visual", sizes.visual), ("text", sizes.text)].map { name, width in
      try FeatureMatrix(
        name: name, matrix: randomMatrix(data.itemCount, width, seed: UInt64(width)))
    }
    let dataset = try data.dataset(features: features)
    var settings = SettingStore(embeddingSize: 8, regularization: 0.1)
    settings[CommonSettings.itemNeighbours] = 3
    change(&settings[VIRAL.Settings.self])
    let model = try ModelRegistry.make(
      "viral", input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: settings, objective: objective, seed: 1)
    return (model, data)
  }

  @Test("different widths are refused with advice, unless they are mapped or filled up")
  func widths() throws {
    let error = #expect(throws: ModelError.self) { try Self.model(sizes: (10, 6)) }
    #expect(error?.description.contains("'visual' has 10 columns") == true)
    #expect(error?.description.contains("project or pad") == true)
    func width(_ change: (inout SettingValues<VIRAL.Settings>) -> Void) throws -> [Int] {
      let tables = try Self.model(sizes: (10, 6), change).model.tables
      return ["visual.projection.weight", "synergy.1.value.weight"].map { name in
        tables.first { $0.name == name }?.width ?? 0
      }
    }
    #expect(try width { $0.inputWidth = .pad } == [0, 10])
    #expect(try width { $0.inputWidth = .project } == [10, 6])
    #expect(try width { $0.visual = .raw } == [10, 6])
    #expect(try width { $0.fusion = .textOnly } == [0, 6])
  }

  @Test("zeros on the right change no cosine: the item graph is that of the features")
  func padding() throws {
    let (model, data) = try Self.model(sizes: (10, 6)) { $0.inputWidth = .pad }
    let parameters = PlainParameters.initial(of: model, seed: 1)
    let context = StepContext(seed: 1, epoch: 0, step: 0)
    let result = parameters.gradients(model, data.batch, context: context)
    #expect(result.shares.values.allSatisfy { $0.isFinite })
    for (spec, gradient) in zip(model.tables, result.gradients) where spec.parameterCount > 0 {
      #expect(elements(gradient).contains { $0 != 0 }, "\(spec.name)")
    }
  }

  @Test("modalities are chosen by name, and names that the data set has not are refused")
  func modalities() throws {
    let swapped = try Self.model(sizes: (6, 6)) {
      $0.visionFeature = "text"
      $0.textFeature = "visual"
    }
    #expect(swapped.model.backbone.contentModalities == ["text", "visual"])
    let error = #expect(throws: ModelError.self) {
      try Self.model(sizes: (6, 6)) { $0.textFeature = "title" }
    }
    #expect(error?.description.contains("visual, text") == true)
  }

  @Test(
    "MRdIB on one modality has no redundancy term", arguments: [VIRAL.Fusion.visualOnly, .textOnly])
  func objectiveOfOne(fusion: VIRAL.Fusion) throws {
    let (model, data) = try Self.model(
      sizes: (6, 6), objective: SettingValues<MRdIB.Settings>()
    ) { $0.fusion = fusion }
    let parameters = PlainParameters.initial(of: model, seed: 1)
    let shares = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0)
    ).shares
    let name = fusion == .visualOnly ? "visual" : "text"
    #expect(shares.keys.filter { $0.hasPrefix("kl.") } == ["kl.\(name)"])
    #expect(!shares.keys.contains { $0.hasPrefix("redundancy") })
  }

  @Test("parameter counts of the three Amazon data sets")
  func parameterCounts() {
    let users = [19_445, 35_598, 39_387]
    func counts(
      _ fusion: VIRAL.Fusion, projectedWidth: Int? = nil, isWeighted: Bool = false
    ) -> [Int] {
      users.map { users in
        var settings = SettingValues<VIRAL.Settings>()
        settings.fusion = fusion
        settings.weighsConcatenation = isWeighted
        let count = VIRAL.tables(
          userCount: users, width: 384, projectedWidth: projectedWidth, embeddingSize: 64,
          settings: settings
        ).reduce(0) { $0 + $1.parameterCount }
        return count + VIRAL.omittedCount(width: 384, settings: settings)
      }
    }
    let full = [13_217_887, 16_367_722, 17_106_577]
    #expect(counts(.full) == full)
    #expect(counts(.full, projectedWidth: 4096) == full.map { $0 + 1_573_248 })
    #expect(counts(.synergy) == [11_237_727, 14_387_562, 15_126_417])
    let concat = [2_718_976, 4_786_560, 5_271_552]
    #expect(counts(.concat) == concat)
    #expect(counts(.concat, isWeighted: true) == zip(concat, users).map { $0 + 2 * $1 })
    for fusion in [VIRAL.Fusion.visualOnly, .textOnly] {
      #expect(counts(fusion) == [9_858_794, 11_958_684, 12_451_254])
    }
  }
}
