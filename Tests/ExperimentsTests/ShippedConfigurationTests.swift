import Configuration
import Datasets
import Experiments
import Foundation
import Runtime
import Settings
import TestSupport
import Testing

/// The configuration files that come with the program.
@Suite("Shipped configurations") struct ShippedConfigurationTests {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Configs")

  /// Paths below `Configs`.
  static let files: [String] = {
    let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return (all ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
  }()

  static let backbones = [
    "cohesion", "dualgnn", "freedom", "lattice", "mentor", "mgcn", "mmgcn", "pgl", "smore", "soil",
    "vbpr", "viral",
  ]
  static let models = backbones + ["bm3", "bpr", "grcn", "lightgcn"]

  private func request(_ file: String) -> RunRequest {
    RunRequest(
      data: nil, configurationFiles: [Self.folder.appendingPathComponent(file).path])
  }

  private func grid(_ file: String) throws -> ConfigurationGrid {
    try ConfigurationGrid(requested: request(file).requestedLayers())
  }

  @Test("every file resolves, a grid at each of its points", arguments: files)
  func resolves(file: String) throws {
    let grid = try grid(file)
    for point in grid.points {
      _ = try request(file).resolve(grid.layers + point.map(\.layer))
    }
  }

  @Test("every file is in the table of the folder's page", arguments: files)
  func isListed(file: String) throws {
    let page = try String(
      contentsOf: Self.folder.appendingPathComponent("README.md"), encoding: .utf8)
    let parts = file.split(separator: "/")
    let isListed =
      page.contains("`\(parts[parts.count - 1])`")
      && (parts.count == 1 || page.contains("`\(parts[0])/`"))
      || Self.backbones.contains { file == "grid-mrdib-\($0).yaml" }
      || page.contains("`\(file)`")
    #expect(isListed)
  }

  @Test("MRdIB's grid is the published one on every backbone", arguments: backbones)
  func publishedGrid(model: String) throws {
    let grid = try grid("grid-mrdib-\(model).yaml")
    for name in ["alpha1", "alpha2", "alpha3"] {
      let axis = try #require(grid.axes.first { $0.name == name })
      #expect(axis.values.map(\.value) == ["0.0001", "0.001", "0.005", "0.01", "0.05"])
    }
    let search = try CoordinateSearch(grid: grid, order: ["alpha1", "alpha3", "alpha2"])
    #expect(grid.points.count == 375 && search.runCount == 45)
    let configuration = try request("grid-mrdib-\(model).yaml").resolve(
      grid.layers + grid.points[0].map(\.layer))
    #expect(configuration.model.model == model && configuration.model.objective == .mrdib)
  }

  @Test("plain models have the published grids", arguments: models)
  func plainGrids(model: String) throws {
    let grid = try grid("grid-\(model).yaml")
    let configuration = try request("grid-\(model).yaml").resolve(
      grid.layers + grid.points[0].map(\.layer))
    #expect(configuration.model.model == model && configuration.model.objective == .plain)
    let expected = [
      "bpr": 21, "vbpr": 21, "lightgcn": 60, "grcn": 75, "dualgnn": 75, "mmgcn": 15,
      "freedom": 24, "mgcn": 9, "soil": 1080, "bm3": 24, "cohesion": 48, "mentor": 18, "viral": 15,
      "pgl": 54, "smore": 384, "lattice": 48,
    ]
    #expect(grid.points.count == expected[model])
  }

  @Test("descriptions of well-known data sets name the modalities of their folders")
  func descriptions() throws {
    let examples = Self.folder.deletingLastPathComponent().appendingPathComponent(
      "Examples/datasets")
    let names = try FileManager.default.contentsOfDirectory(atPath: examples.path)
      .filter { $0 != "README.md" }.sorted()
    #expect(names == ["baby", "clothing", "lfm2k", "sports", "tiktok"])
    for name in names {
      let folder = try TemporaryFolder(name: "another-name")
      let path = examples.appendingPathComponent("\(name)/dataset.yaml").path
      try folder.write(TemporaryFolder.contents(of: path), to: "dataset.yaml")
      let description = try DatasetDescription.read(folder: folder.path)
      #expect(description.name == name && description.interactionsFile == "\(name).inter")
      #expect(description.modalities.map(\.file) == ["image_feat.npy", "text_feat.npy"])
    }
  }
}
