import Datasets
import Recommenders
import Tensors
import Testing

/// Planted information is found again. All nine settings: `scripts/check-decomposition`.
@Suite struct PreferenceInformationTests {
  private static func decompose(
    _ planted: PlantedInformation
  ) throws -> (PreferenceInformation.Pair, PreferenceInformation) {
    var configuration = SyntheticConfiguration()
    configuration.users = 400
    configuration.items = 400
    configuration.interactionsPerUser = 50
    for component in [
      \SyntheticConfiguration.shared, \.uniqueVisual, \.uniqueText, \.synergy,
    ] { configuration[keyPath: component].dimensions = 2 }
    configuration.visualNoiseDimensions = 4
    configuration.textNoiseDimensions = 4
    try configuration.plant(planted)
    let data = try SyntheticData(configuration)
    let dataset = try data.dataset()
    let codes = [
      ModalityCodes(name: "visual", vectors: data.visual),
      ModalityCodes(name: "text", vectors: data.text),
    ]
    let information = try PreferenceInformation(
      codes, ChoiceData(dataset, measuring: dataset.test), seed: 1)
    return (try #require(information.pairs.first), information)
  }

  @Test("what both repeat and what only one has")
  func redundantAndUnique() throws {
    let (pair, all) = try Self.decompose(
      PlantedInformation(shared: 0.3, uniqueVisual: 0.3, uniqueText: 0.05))
    let found = "\(pair.atoms)"
    #expect(pair.redundant.value > 0.1, "\(found)")
    #expect(pair.uniqueFirst.value > 0.1, "\(found)")
    #expect(pair.uniqueSecond.value < pair.uniqueFirst.value - 0.08, "\(found)")
    #expect(abs(pair.synergistic.value) < 0.04, "\(found)")
    #expect(pair.redundant.low < pair.redundant.value && pair.redundant.value < pair.redundant.high)
    #expect(all.alone[0].value > all.alone[1].value + 0.05)
    // Neither the smaller of both nor I_min sees what is unique in both.
    #expect(pair.otherRedundancies.smaller > pair.redundant.value)
    #expect(all.popularityNats < all.uniformNats)
  }

  @Test("what only the combination has")
  func synergistic() throws {
    let (pair, all) = try Self.decompose(
      PlantedInformation(shared: 0.05, uniqueVisual: 0.05, uniqueText: 0.05, synergy: 0.4))
    let found = "\(pair.atoms)"
    #expect(pair.synergistic.value > 0.15, "\(found)")
    #expect(pair.synergistic.low > 0.1, "\(found)")
    #expect(pair.redundant.value < 0.08, "\(found)")
    #expect(all.alone.allSatisfy { $0.value < 0.15 }, "\(found)")
  }
}
