import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// PGL compared with the numbers of its authors' code.
@Suite struct PGLTests {
  static let cases = [golden("local"), golden("global")]

  static func golden(_ name: String, contrast: Double? = nil) -> GoldenCase {
    GoldenCase(
      file: "pgl", folder: "cases/\(name)", parameters: "params",
      names: ["U_v", "V", "L_v.W", "L_v.b", "U_t", "T", "L_t.W", "L_t.b"],
      parts: [
        .init(stored: "bpr", terms: ["ranking"]),
        .init(stored: "infonce_user", terms: ["contrast.user"]),
        .init(stored: "infonce_item", terms: ["contrast.item"]),
      ], contentWidth: 8
    ) { data, golden in
      var settings = SettingValues<PGL.Settings>()
      settings.layers = Int(try golden.number("config/L"))
      settings.contrastiveWeight = try contrast ?? golden.number("config/c")
      settings.viewDropout = try golden.number("config/dropout")
      let principal = try golden.sparse("cases/\(name)/graphs/A_sub")
      let whole = try golden.sparse("graphs/A_hat")
      let items = try golden.sparse("graphs/M")
      let kept = try ["first", "second"].map { view in
        try ["user", "item"].map { try golden.matrix("draws/keep/\(view)/\($0)") }
      }
      return PGL(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features,
        embeddingSize: Int(try golden.number("config/d")), settings: settings,
        graphs: .init(principal: { _ in principal }, whole: { whole }, items: { items }),
        draws: { view, side, ids, _, target in
          let stored = kept[view][side == .user ? 0 : 1]
          for (row, id) in ids.enumerated() {
            for column in 0..<target.columns { target[row, column] = stored[Int(id), column] }
          }
        })
    }
  }

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: GoldenCase) throws { try test.checkGradients() }

  @Test("losses, parameters and scores over three Adam steps", arguments: cases)
  func adam(test: GoldenCase) throws { try test.checkAdam() }

  @Test("final user and item matrices, and those of training", arguments: cases)
  func finalMatrices(test: GoldenCase) throws {
    try test.checkFinal()
    let loaded = try test.load()
    let tape = Tape()
    let propagated = loaded.model.propagate(
      on: tape, parameters: loaded.parameters.tables.map { tape.constant($0) },
      context: loaded.context)
    for (side, blocks) in [("user", propagated[..<2]), ("item", propagated[2...])] {
      let found = tape.concatenateColumns(Array(blocks)).value
      let stored = try loaded.golden.matrix(test.path("train_\(side)"))
      #expect(relativeDifference(found, stored) < 1e-5, "\(side)")
    }
  }

  @Test("the gradient of the whole loss against central differences", arguments: cases)
  func centralDifferences(test: GoldenCase) throws { #expect(try test.gradientError() < 2e-2) }

  @Test("the loss and the gradients of shards add up, but for contrasts")
  func shards() throws { try Self.golden("global", contrast: 0).checkShards() }

  @Test("MRdIB with all weights 0 and no sampling: the bits of the plain model", arguments: cases)
  func switchedOff(test: GoldenCase) throws { try test.checkMRdIBSwitchedOff() }

  @Test("MRdIB trains every table", arguments: cases)
  func objective(test: GoldenCase) throws { try test.checkMRdIB() }

  private func fromData(
    modalities: Int = 2, _ change: (inout SettingValues<PGL.Settings>) -> Void = { _ in }
  ) throws -> TrainingModel {
    let data = try TinyData().dataset()
    var settings = SettingStore(embeddingSize: 8, regularization: 0.1)
    settings[CommonSettings.itemNeighbours] = 3
    settings[CommonSettings.contrastiveWeight] = 0.4
    change(&settings[PGL.Settings.self])
    var input = ModelInput(data, graphs: GraphStore(dataset: data, cacheFolder: nil))
    input.features = Array(input.features[..<modalities])
    return try ModelRegistry.make(
      "pgl", input: input, settings: settings, objective: nil, seed: 1)
  }

  private func shares(
    _ model: TrainingModel, epoch: Int = 0, step: Int = 0, shard: Int = 0
  ) throws -> [String: Double] {
    let loaded = try Self.cases[0].load()
    let context = StepContext(seed: 1, epoch: epoch, step: step, shard: shard)
    return loaded.parameters.gradients(model, loaded.data.batch, context: context).shares
  }

  @Test("with graphs of the data set: the stored ranking loss of the global subgraph")
  func global() throws {
    let model = try fromData { $0.subgraph = .global }
    let stored = try Golden("pgl").number("cases/global/loss/bpr")
    #expect(abs(try #require(shares(model)["ranking"]) - stored) < 1e-5 * stored)
    #expect(try shares(model)["ranking"] == shares(model, epoch: 1)["ranking"])
  }

  @Test("a local subgraph is drawn for an epoch, what is dropped for a step and alike in shards")
  func draws() throws {
    let model = try fromData {
      $0.edgeDropout = 0.5
      $0.viewDropout = 0.3
    }
    #expect(try shares(model)["ranking"] == shares(model, step: 3)["ranking"])
    #expect(try shares(model)["ranking"] != shares(model, epoch: 1)["ranking"])
    #expect(try shares(model) == shares(model, shard: 2))
    #expect(try shares(model)["contrast.user"] != shares(model, step: 3)["contrast.user"])
    let plain = try fromData {
      $0.edgeDropout = 0.5
      $0.viewDropout = 0
    }
    #expect(try shares(plain)["contrast.user"] == shares(plain, step: 3)["contrast.user"])
    #expect(try shares(plain)["ranking"] == shares(model)["ranking"])
    #expect(try shares(plain)["contrast.user"] != shares(model)["contrast.user"])
  }

  @Test("settings switch: stale ranking, features that stay, and no contrasts")
  func switches() throws {
    guard
      case .whole(let fresh) = try fromData().backbone.final,
      case .whole(let stale) = try fromData({ $0.staleRanking = .always }).backbone.final
    else {
      Issue.record("the final vectors are not computed together")
      return
    }
    #expect(!fresh.isStale && stale.isStale)
    let frozen = try fromData { $0.trainsFeatures = false }
    #expect(!frozen.tables.contains { $0.initializer == .pushed })
    let parameters = PlainParameters.initial(of: frozen, seed: 1)
    let trained = try fromData()
    let left = parameters.finalVectors(frozen)
    let right = PlainParameters.initial(of: trained, seed: 1).finalVectors(trained)
    #expect(elements(left.item) == elements(right.item))
    let plain = try fromData { $0.contrastiveWeight = 0 }
    #expect(try Set(shares(plain).keys) == ["ranking", "total"])
  }

  @Test("one modality has one block")
  func oneModality() throws {
    let model = try fromData(modalities: 1)
    let final = PlainParameters.initial(of: model, seed: 1).finalVectors(model)
    #expect(final.user.columns == 8 && final.item.columns == 8)
    #expect(elements(final.user).allSatisfy { $0.isFinite })
  }

  @Test("parameter counts of the authors' logs")
  func parameterCounts() {
    let printed = [34_359_808, 87_082_752, 108_516_224]
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    for (index, (users, items)) in sizes.enumerated() {
      let tables = PGL.tables(
        userCount: users, itemCount: items, modalities: [("visual", 4096), ("text", 384)],
        embeddingSize: 64)
      #expect(tables.reduce(0) { $0 + $1.parameterCount } == printed[index])
    }
  }
}
