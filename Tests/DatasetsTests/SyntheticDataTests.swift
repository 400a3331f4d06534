import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("generated data sets")
struct SyntheticDataTests {
  private let data: SyntheticData

  init() throws { data = try SyntheticData(Self.small) }

  private static var small: SyntheticConfiguration {
    var configuration = SyntheticConfiguration()
    configuration.seed = 4
    configuration.users = 300
    configuration.items = 2500
    configuration.visualNoiseDimensions = 6
    configuration.textNoiseDimensions = 3
    return configuration
  }

  @Test("shared columns correlate as planted; no other columns do")
  func plantsSharedInformation() throws {
    let truth = try written()
    let visual = truth.visualColumns
    let text = truth.textColumns
    // 2500 items: the standard deviation of a correlation near 0 is 0.02.
    for column in 0..<data.visual.columns {
      for other in 0..<data.text.columns {
        let found = correlation(data.visual, column, data.text, other)
        let isPair = visual.shared.range.contains(column) && column == other
        let planted = isPair ? truth.sharedCorrelation : 0
        #expect(abs(found - planted) < 0.1, "visual \(column), text \(other): \(found)")
      }
    }
    #expect(visual.shared == text.shared)
  }

  @Test("the manifest's mutual information is that of the planted correlation")
  func recordsMutualInformation() throws {
    let truth = try written()
    // σ = 0.3: ρ = 1 / 1.09, per column −½ ln(1 − ρ²) = 0.92157 nats.
    #expect(abs(truth.sharedCorrelation - 0.9174312) < 1e-6)
    #expect(abs(truth.mutualInformationNats - 8 * 0.9215685) < 1e-5)
    var empirical = 0.0
    for column in 0..<8 {
      let rho = correlation(data.visual, column, data.text, column)
      empirical -= log(1 - rho * rho) / 2
    }
    #expect(abs(empirical - truth.mutualInformationNats) < 0.5, "\(empirical)")
    #expect(truth.shared.preferenceShare == 0.25 && truth.synergy.preferenceShare == 0.25)
    #expect(truth.interactionCount == data.interactions.count)
  }

  @Test("synergy is in the product of both modalities, and in neither alone")
  func plantsSynergy() throws {
    let truth = try written()
    let synergy = Array(24..<32)  // of the preferences
    for (index, preference) in synergy.enumerated() {
      let visualColumn = truth.visualColumns.synergy.start + index
      let textColumn = truth.textColumns.synergy.start + index
      #expect(
        abs(correlation(data.visual, visualColumn, data.itemPreferences, preference)) < 0.1)
      #expect(abs(correlation(data.text, textColumn, data.itemPreferences, preference)) < 0.1)
      var agreeing = 0
      for item in 0..<data.visual.rows {
        let product = data.visual[item, visualColumn] * data.text[item, textColumn]
        if product * data.itemPreferences[item, preference] > 0 { agreeing += 1 }
      }
      // A sign is lost with probability Φ(−1 / 0.3) = 0.0004 in each modality.
      #expect(Double(agreeing) / Double(data.visual.rows) > 0.99)
    }
  }

  @Test("unique columns determine preferences, and are in one modality only")
  func plantsUniqueInformation() throws {
    let truth = try written()
    let visual = truth.visualColumns.unique
    for (index, column) in visual.range.enumerated() {
      #expect(correlation(data.visual, column, data.itemPreferences, 8 + index) > 0.9)
    }
    for (index, column) in truth.textColumns.unique.range.enumerated() {
      #expect(correlation(data.text, column, data.itemPreferences, 16 + index) > 0.9)
    }
  }

  @Test("choices depend on the components that have weight, and on no others")
  func choosesByWeight() throws {
    var configuration = Self.small
    configuration.uniqueText.weight = 0
    configuration.synergy.weight = 0
    let data = try SyntheticData(configuration)
    // The latents themselves: a component without weight is 0 in the preferences.
    let blocks: [(Matrix, Range<Int>, isWanted: Bool)] = [
      (data.latents.shared, 0..<8, true), (data.latents.uniqueVisual, 8..<16, true),
      (data.latents.uniqueText, 16..<24, false),
    ]
    for (latents, preferences, isWanted) in blocks {
      var sum = 0.0
      for (user, item) in zip(data.interactions.users, data.interactions.items) {
        for (column, preference) in preferences.enumerated() {
          sum += Double(
            data.userPreferences[Int(user), preference] * latents[Int(item), column])
        }
      }
      // A chosen item's ⟨p, q⟩ over one block has standard deviation √8 around its mean, and users
      // repeat, so that chance stays well below 0.3.
      let mean = sum / Double(data.interactions.count)
      #expect(isWanted ? mean > 2 : abs(mean) < 0.3, "\(preferences): \(mean)")
    }
  }

  @Test("ids are dense, every user has at least three training rows, and the whole is usable")
  func isUsable() throws {
    let dataset = try data.dataset()
    #expect(dataset.userCount == 300 && dataset.itemCount == 2500)
    #expect((0..<300).allSatisfy { dataset.train.degree($0) >= 3 })
    #expect((0..<300).allSatisfy { dataset.valid.degree($0) >= 1 && dataset.test.degree($0) >= 1 })
    #expect(Set(data.interactions.items).count == 2500)
    #expect(dataset.dropped.users == 0)
  }

  @Test("equal seeds give equal bytes, other seeds other ones")
  func repeatsItself() throws {
    let first = try TemporaryFolder(name: "data")
    let second = try TemporaryFolder(name: "data")
    var configuration = Self.small
    try SyntheticData.generate(configuration, to: first.path)
    try SyntheticData.generate(configuration, to: second.path)
    let files = try first.files
    #expect(
      files == [
        "dataset.yaml", "image_feat.npy", "synthetic.inter", "text_feat.npy", "truth.json",
        "truth_latents.npy",
      ])
    for file in files { #expect(try first.read(file) == second.read(file), "\(file)") }
    configuration.seed += 1
    try SyntheticData.generate(configuration, to: second.path)
    for file in files where file != "dataset.yaml" {
      #expect(try first.read(file) != second.read(file), "\(file)")
    }
  }

  @Test("more noise columns change nothing else")
  func keepsStreamsApart() throws {
    var configuration = Self.small
    configuration.visualNoiseDimensions += 10
    let other = try SyntheticData(configuration)
    #expect(other.interactions == data.interactions)
    #expect(Array(other.text.elements) == Array(data.text.elements))
    #expect(Array(other.visual.row(7)[..<24]) == Array(data.visual.row(7)[..<24]))
  }

  @Test("what is written is what is read, and is valid")
  func readsBack() throws {
    let folder = try TemporaryFolder(name: "data")
    try SyntheticData.generate(Self.small, to: folder.path)
    let read = try Dataset.load(folder: folder.path, needsFeatures: true)
    let made = try data.dataset()
    #expect(read.digest == made.digest && read.name == "synthetic")
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(validation.isUsable, "\(validation.problems)")
    let latents = try NPYFile(path: folder.path("truth_latents.npy"))
    let truth = try SyntheticTruth.read(folder: folder.path)
    #expect(truth.latentColumns["s_t"]?.end == latents.columns && latents.rows == 2500)
    #expect(truth.configuration == Self.small)
    #expect(truth.visualColumns.columns == data.visual.columns)
  }

  @Test("the default data set is generated once and then reused")
  func cachesTheDefault() throws {
    let cache = try TemporaryFolder(name: "data")
    let folder = try SyntheticData.defaultFolder(in: cache.path)
    let dataset = try Dataset.load(folder: folder, needsFeatures: true)
    #expect(dataset.userCount == 1500 && dataset.itemCount == 800)
    #expect(dataset.features.map(\.columns) == [64, 48])
    #expect((25_000...35_000).contains(DatasetStatistics(dataset).interactions))
    let marker = folder + "/image_feat.npy"
    let date = try FileManager.default.attributesOfItem(atPath: marker)[.modificationDate] as? Date
    #expect(try SyntheticData.defaultFolder(in: cache.path) == folder)
    #expect(
      try FileManager.default.attributesOfItem(atPath: marker)[.modificationDate] as? Date == date)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/truth.json"))
    #expect(try SyntheticData.defaultFolder(in: cache.path) == folder)
    #expect(try SyntheticTruth.read(folder: folder).configuration == SyntheticConfiguration())
  }

  @Test("a folder with other files is left unchanged")
  func leavesOtherFilesAlone() throws {
    let folder = try TemporaryFolder(name: "data")
    try folder.write("mine", to: "image_feat.npy")
    let error = problem { try SyntheticData.generate(Self.small, to: folder.path) }
    expect(error, says: folder.path, "not generated", "empty or a new folder")
    #expect(try folder.read("image_feat.npy") == Array("mine".utf8))
  }

  @Test("settings out of range are named")
  func namesBadSettings() {
    expect(refusal { $0.users = 0 }, says: "users is 0", "1 to")
    expect(refusal { $0.interactionsPerUser = 3 }, says: "interactionsPerUser is 3", "10 to")
    expect(refusal { $0.items = 30 }, says: "items is 30", "60 to")
    expect(refusal { $0.observationNoise = 0 }, says: "observationNoise is 0")
    expect(refusal { $0.sharpness = .nan }, says: "sharpness is nan")
    expect(refusal { $0.synergy.dimensions = -1 }, says: "synergy.dimensions is -1")
    expect(refusal { $0.name = "../x" }, says: "'../x'")
    expect(
      refusal {
        $0.shared.weight = 0
        $0.uniqueVisual.weight = 0
        $0.uniqueText.weight = 0
        $0.synergy.dimensions = 0
      }, says: "prefer nothing")
  }

  private func refusal(_ change: (inout SyntheticConfiguration) -> Void) -> DatasetError {
    var configuration = SyntheticConfiguration()
    change(&configuration)
    let changed = configuration
    return problem { try SyntheticData(changed) }
  }

  /// The manifest as it is on disk.
  private func written() throws -> SyntheticTruth {
    let folder = try TemporaryFolder(name: "data")
    try SyntheticData.generate(Self.small, to: folder.path)
    return try SyntheticTruth.read(folder: folder.path)
  }

  /// Pearson's correlation of two columns.
  private func correlation(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
    let x = (0..<a.rows).map { Double(a[$0, i]) }
    let y = (0..<b.rows).map { Double(b[$0, j]) }
    let n = Double(x.count)
    let meanX = x.reduce(0, +) / n
    let meanY = y.reduce(0, +) / n
    var xy = 0.0
    var xx = 0.0
    var yy = 0.0
    for (p, q) in zip(x, y) {
      xy += (p - meanX) * (q - meanY)
      xx += (p - meanX) * (p - meanX)
      yy += (q - meanY) * (q - meanY)
    }
    return xy / (xx * yy).squareRoot()
  }
}
