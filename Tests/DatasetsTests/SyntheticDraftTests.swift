import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("continuing the generation of a data set")
struct SyntheticDraftTests {
  private static var configuration: SyntheticConfiguration {
    var configuration = SyntheticConfiguration()
    configuration.seed = 7
    configuration.users = 5000
    configuration.items = 1200
    configuration.interactionsPerUser = 10
    configuration.candidates = 40
    configuration.visualNoiseDimensions = 2
    configuration.textNoiseDimensions = 2
    return configuration
  }

  private struct Stop: Equatable {
    let stage: String
    let share: Double
  }

  /// Generates, and stops when a stage has come so far.
  ///
  /// - Returns: the first share that was reported of each stage.
  @discardableResult
  private func generate(
    _ folder: String, stop: Stop? = nil,
    configuration: SyntheticConfiguration = Self.configuration
  ) throws -> [String: Double] {
    var first: [String: Double] = [:]
    do {
      try SyntheticData.generate(configuration, to: folder, usersPerSave: 1024) {
        stage, share throws(DatasetError) in
        if first[stage] == nil { first[stage] = share }
        if let stop, stage == stop.stage, share >= stop.share {
          throw DatasetError(.changed, path: folder, "was stopped")
        }
      }
      #expect(stop == nil)
    } catch {
      #expect(stop != nil, "\(error)")
    }
    return first
  }

  @Test("a generation that was stopped anywhere continues, and has the same bytes")
  func continues() throws {
    let whole = try TemporaryFolder(name: "data")
    try generate(whole.path)
    for stop in [
      Stop(stage: "generating interactions", share: 0.5),
      Stop(stage: "generating interactions", share: 0.7),
      Stop(stage: "writing interactions", share: 0.5),
    ] {
      let parts = try TemporaryFolder(name: "data")
      try generate(parts.path, stop: stop)
      #expect(try parts.files == [".draft"], "\(stop)")
      // Also on another number of lanes.
      let first = try Lanes.$ofScope.withValue(Lanes(count: 3)) { try generate(parts.path) }
      let share = first["generating interactions"] ?? 1
      #expect(share >= 0.4, "\(stop): \(share)")
      #expect(try parts.files == whole.files)
      for file in try whole.files {
        #expect(try parts.read(file) == whole.read(file), "\(stop) \(file)")
      }
    }
  }

  @Test("what is left of another data set, or is damaged, is not used")
  func begins() throws {
    var other = Self.configuration
    other.seed = 8
    let whole = try TemporaryFolder(name: "data")
    try generate(whole.path, configuration: other)
    let parts = try TemporaryFolder(name: "data")
    let stop = Stop(stage: "generating interactions", share: 0.7)
    try generate(parts.path, stop: stop)
    #expect(
      try generate(parts.path, configuration: other)["generating interactions"] == 0)
    for file in try whole.files { #expect(try parts.read(file) == whole.read(file), "\(file)") }
    for damage in ["choices", "choices.known"] {
      let parts = try TemporaryFolder(name: "data")
      try generate(parts.path, stop: stop, configuration: other)
      let path = parts.path(".draft/\(damage)")
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      if damage == "choices" { bytes.removeLast(bytes.count / 2) } else { bytes[100] ^= 1 }
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect(
        try generate(parts.path, configuration: other)["generating interactions"] == 0)
      for file in try whole.files { #expect(try parts.read(file) == whole.read(file), "\(file)") }
    }
  }

  @Test("two generations into one folder: the second is refused")
  func excludes() throws {
    let folder = try TemporaryFolder(name: "data")
    var isRefused = false
    try SyntheticData.generate(Self.configuration, to: folder.path) {
      stage, share throws(DatasetError) in
      guard stage == "writing interactions", !isRefused else { return }
      do {
        try SyntheticData.generate(Self.configuration, to: folder.path)
      } catch {
        isRefused = "\(error)".contains("another generation")
      }
    }
    #expect(isRefused)
    #expect(try Dataset.load(folder: folder.path, needsFeatures: true).userCount == 5000)
  }

  @Test("features in half precision are those in memory, and half as large")
  func halves() throws {
    var configuration = Self.configuration
    configuration.users = 60
    configuration.halfFeatures = true
    let folder = try TemporaryFolder(name: "data")
    try SyntheticData.generate(configuration, to: folder.path)
    let data = try SyntheticData(configuration)
    let file = try NPYFile(path: folder.path("image_feat.npy"))
    #expect(file.element == .float16 && file.columns == data.visual.columns)
    let row = Matrix(rows: 1, columns: file.columns)
    for item in [0, 7, 1199] {
      file.copyRow(item, to: row.pointer)
      #expect(Array(row.elements) == Array(data.visual.row(item)), "\(item)")
    }
    configuration.halfFeatures = nil
    let full = try SyntheticData(configuration)
    #expect(data.interactions == full.interactions)
    #expect(Array(full.visual.row(7)) != Array(data.visual.row(7)))
    withExtendedLifetime((row, data, full)) {}
  }
}
