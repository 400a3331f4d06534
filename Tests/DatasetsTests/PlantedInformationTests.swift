import Datasets
import TestSupport
import Testing

@Suite struct PlantedInformationTests {
  private static func configuration(
    _ planted: PlantedInformation
  ) throws -> SyntheticConfiguration {
    var configuration = SyntheticConfiguration()
    configuration.users = 400
    try configuration.plant(planted)
    return configuration
  }

  @Test("an ideal observer finds about the information that was asked for, kind by kind")
  func truth() throws {
    let folder = try TemporaryFolder(name: "data")
    let planted = PlantedInformation(
      shared: 0.1, uniqueVisual: 0.2, uniqueText: 0.05, synergy: 0.3)
    try SyntheticData.generate(try Self.configuration(planted), to: folder.path)
    let truth = try SyntheticTruth.read(folder: folder.path)
    #expect(truth.configuration.planted == planted)
    let found = try #require(truth.preferenceInformation)
    for (value, asked) in [
      (found.redundant, planted.shared), (found.uniqueVisual, planted.uniqueVisual),
      (found.uniqueText, planted.uniqueText), (found.synergistic, planted.synergy),
    ] {
      // 800 interactions are tested: a standard error of .03.
      #expect(abs(value - Double(asked)) < 0.09, "\(found)")
    }
    #expect(abs(found.redundant + found.uniqueVisual - found.visual) < 1e-9)
  }

  @Test("one kind of information is planted independently of the others")
  func independent() throws {
    let few = try Self.configuration(PlantedInformation(uniqueVisual: 0.2))
    let many = try Self.configuration(PlantedInformation(shared: 1, uniqueVisual: 0.2))
    // Only sharpness · weight / ‖w‖ reaches the scores.
    func factor(_ configuration: SyntheticConfiguration) -> Float {
      let squares = [
        configuration.shared, configuration.uniqueVisual, configuration.uniqueText,
        configuration.synergy,
      ].reduce(0) { $0 + Float($1.dimensions) * $1.weight * $1.weight }
      return configuration.sharpness * configuration.uniqueVisual.weight / squares.squareRoot()
    }
    #expect(abs(factor(few) - factor(many)) < 1e-6)
  }

  @Test("the manifest without planted nats is as before")
  func unchanged() throws {
    let folder = try TemporaryFolder(name: "data")
    try SyntheticData.generate(SyntheticConfiguration(), to: folder.path)
    let text = try folder.text("truth.json")
    #expect(!text.contains("planted") && !text.contains("preferenceInformation"))
    #expect(try SyntheticTruth.read(folder: folder.path).preferenceInformation == nil)
  }

  @Test("information without dimensions or out of range is refused")
  func refused() {
    var configuration = SyntheticConfiguration()
    configuration.synergy.dimensions = 0
    #expect(throws: DatasetError.self) { try configuration.plant(PlantedInformation(synergy: 1)) }
    #expect(throws: DatasetError.self) { try configuration.plant(PlantedInformation(shared: -1)) }
    #expect(throws: DatasetError.self) { try configuration.plant(PlantedInformation(shared: .nan)) }
  }
}
