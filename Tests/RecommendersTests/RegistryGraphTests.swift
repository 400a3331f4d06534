import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// Models from the registry, with graphs that come from the data set.
@Suite struct RegistryGraphTests {
  private func make(
    _ name: String, modalities: Int = 2, objective: SettingValues<MRdIB.Settings>? = nil,
    _ change: (inout SettingStore) -> Void = { _ in }
  ) throws -> TrainingModel {
    let data = try TinyData()
    let golden = try Golden(name)
    var settings = SettingStore(
      embeddingSize: 8, regularization: try golden.number("config/lambda"))
    settings[CommonSettings.itemNeighbours] = 3
    settings[FREEDOM.Settings.self].edgeDropout = 0
    change(&settings)
    var input = ModelInput(
      try data.dataset(), graphs: GraphStore(dataset: try data.dataset(), cacheFolder: nil))
    input.features = Array(input.features[..<modalities])
    return try ModelRegistry.make(
      name, input: input, settings: settings, objective: objective, seed: 1)
  }

  @Test(
    "the stored loss and ranking vectors",
    arguments: BackboneGoldenTests.cases.filter {
      ["lightgcn", "freedom", "grcn"].contains($0.file) && $0.folder != "cases/given_kept_edges"
    })
  func storedNumbers(test: GoldenCase) throws {
    let loaded = try test.load()
    let model = try make(test.file)
    #expect(model.tables == loaded.model.tables)
    let golden = loaded.golden
    let folder = test.folder.isEmpty ? "" : test.folder + "/"
    let shares = loaded.parameters.gradients(
      model, loaded.data.batch, context: loaded.context
    ).shares
    let total = try golden.number("\(folder)loss/total")
    #expect(abs((shares["total"] ?? .nan) - total) < 1e-5 * total)
    let final = loaded.parameters.finalVectors(model)
    #expect(relativeDifference(final.user, try golden.matrix("\(folder)ranking/user")) < 1e-5)
    #expect(relativeDifference(final.item, try golden.matrix("\(folder)ranking/item")) < 1e-5)
  }

  @Test("each epoch of FREEDOM has its own sample, the same in every step")
  func freedomSamples() throws {
    let model = try make("freedom") { $0[FREEDOM.Settings.self].edgeDropout = 0.5 }
    let loaded = try BackboneGoldenTests.freedom("dropout0").load()
    func total(epoch: Int, step: Int) throws -> Double {
      let shares = loaded.parameters.gradients(
        model, loaded.data.batch, context: StepContext(seed: 1, epoch: epoch, step: step)
      ).shares
      return try #require(shares["total"])
    }
    #expect(try total(epoch: 0, step: 0) == total(epoch: 0, step: 7))
    #expect(try total(epoch: 0, step: 0) != total(epoch: 1, step: 0))
  }

  @Test("a model without a ranking term is not trained with another likelihood in its place")
  func noRankingTerm() {
    let error = #expect(throws: ModelError.self) {
      try make("bm3") { $0[CandidateSettings.self].backboneLikelihood = .candidates }
    }
    #expect(error?.description.contains("this model has none") == true)
  }

  @Test("a dropout that leaves no edges is refused", arguments: [1.0, -0.1, .nan])
  func dropout(value: Double) {
    let error = #expect(throws: ModelError.self) {
      try make("freedom") { $0[FREEDOM.Settings.self].edgeDropout = value }
    }
    #expect(error?.description.contains("below 1") == true)
  }

  @Test(
    "staleRanking overrides what the reference does",
    arguments: ["lightgcn", "freedom", "grcn", "bm3"])
  func staleRanking(name: String) throws {
    func isStale(_ choice: StaleRanking) throws -> Bool {
      guard
        case .whole(let final) = try make(name, { $0[CommonSettings.staleRanking] = choice })
          .backbone.final
      else { return false }
      return final.isStale
    }
    #expect(try isStale(.faithful) == (name == "grcn"))
    #expect(try isStale(.always))
    #expect(try !isStale(.never))
  }

  @Test("MRdIB is refused where a model has no content", arguments: ["lightgcn", "grcn"])
  func noContent(name: String) throws {
    let error = #expect(throws: ModelError.self) {
      try make(name, objective: SettingValues<MRdIB.Settings>())
    }
    #expect(error?.description.contains("--objective plain") == true)
    #expect(try make("freedom", objective: SettingValues<MRdIB.Settings>()).objective != nil)
  }
}
