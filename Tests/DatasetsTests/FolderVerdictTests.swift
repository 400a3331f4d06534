import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// Validation, statistics and training read a folder with the same code: for each kind of folder
/// and of model they come to the same verdict.
@Suite("one verdict about a folder")
struct FolderVerdictTests {
  /// A folder and what can be trained on it.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let withFeatures: Bool
    let withoutFeatures: Bool
    let make: @Sendable (TemporaryFolder) throws -> Void

    init(
      _ name: String, withFeatures: Bool, withoutFeatures: Bool,
      make: @escaping @Sendable (TemporaryFolder) throws -> Void
    ) {
      testDescription = name
      self.withFeatures = withFeatures
      self.withoutFeatures = withoutFeatures
      self.make = make
    }
  }

  private static func remove(_ names: String..., in folder: TemporaryFolder) throws {
    for name in names { try FileManager.default.removeItem(atPath: folder.path(name)) }
  }

  static let cases = [
    Case("whole", withFeatures: true, withoutFeatures: true) { try SmallData.write(to: $0) },
    Case("no features", withFeatures: false, withoutFeatures: true) { folder in
      try folder.write(SmallData.header + SmallData.rows, to: "data.inter")
    },
    Case("described as without features", withFeatures: false, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try folder.write("modalities: []\n", to: "dataset.yaml")
    },
    Case("one of two modalities", withFeatures: true, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try remove("text_feat.npy", in: folder)
    },
    Case("a listed file is missing", withFeatures: false, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try folder.write("modalities: [{name: a, file: a_feat.npy}]\n", to: "dataset.yaml")
    },
    Case("a value that is not a number", withFeatures: false, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      let features = SmallData.features(rows: 4, columns: 2)
      features[1, 1] = .nan
      try NPYWriter.write(features, to: folder.path("text_feat.npy"))
    },
    Case("features of another format", withFeatures: false, withoutFeatures: false) { folder in
      try SmallData.write(to: folder)
      try folder.write("nothing", to: "text_feat.npy")
    },
    Case("features of too few items", withFeatures: false, withoutFeatures: false) { folder in
      try SmallData.write(to: folder, itemRows: 3)
    },
    Case("a mask", withFeatures: true, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try FeatureMask([true, false, true, true]).write(to: folder.path("text_mask.npy"))
      try folder.write(
        "modalities: [{name: text, file: text_feat.npy, mask: text_mask.npy}]\n",
        to: "dataset.yaml")
    },
    Case("a mask of other items", withFeatures: false, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try FeatureMask([true, false]).write(to: folder.path("text_mask.npy"))
      try folder.write(
        "modalities: [{name: text, file: text_feat.npy, mask: text_mask.npy}]\n",
        to: "dataset.yaml")
    },
    Case("neighbours of other items", withFeatures: false, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try folder.write("nothing", to: "text_knn10.npy")
    },
    Case("no split", withFeatures: false, withoutFeatures: false) { folder in
      try SmallData.write(to: folder)
      try folder.write("userID\titemID\n0\t0\n", to: "data.inter")
    },
    Case("nothing for validation", withFeatures: false, withoutFeatures: false) { folder in
      let rows = SmallData.rows.replacing("\t13\t1\n", with: "\t13\t2\n")
      try SmallData.write(to: folder, rows: rows)
    },
    Case("a damaged line", withFeatures: false, withoutFeatures: false) { folder in
      try SmallData.write(to: folder, rows: "x\t0\t1\t0\t0\n" + SmallData.rows)
    },
    Case("a damaged description", withFeatures: false, withoutFeatures: false) { folder in
      try SmallData.write(to: folder)
      try folder.write("modalites: []\n", to: "dataset.yaml")
    },
    Case("no folder", withFeatures: false, withoutFeatures: false) { folder in
      try FileManager.default.removeItem(atPath: folder.path)
    },
    Case("damaged tables of ids", withFeatures: true, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try folder.write("userID\tid\n0\n", to: "users.tsv")
    },
    Case("unused features", withFeatures: true, withoutFeatures: true) { folder in
      try SmallData.write(to: folder)
      try folder.write("nothing", to: "audio_feat.npy")
    },
  ]

  /// What training does with a folder before it builds a model.
  private func training(_ folder: String, needsFeatures: Bool) -> DatasetError? {
    do {
      return try Dataset.load(folder: folder, needsFeatures: needsFeatures).trainingProblem
    } catch {
      return error
    }
  }

  @Test("of validation and of training, for models with features and without", arguments: cases)
  func agrees(_ kind: Case) throws {
    let folder = try TemporaryFolder(name: "data")
    try kind.make(folder)
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(validation.isUsableWithFeatures == kind.withFeatures, "\(validation.problems)")
    #expect(validation.isUsableWithoutFeatures == kind.withoutFeatures, "\(validation.problems)")
    #expect((training(folder.path, needsFeatures: true) == nil) == kind.withFeatures)
    let plain = training(folder.path, needsFeatures: false)
    #expect((plain == nil) == kind.withoutFeatures)
    // What stops training is the first problem of the list.
    if let plain { #expect(validation.problems.first == plain) }
    if !validation.isUsable {
      #expect(validation.problems.first == training(folder.path, needsFeatures: true))
    }
    // Statistics are of the folders that validation accepts.
    #expect((validation.statistics != nil) == validation.isUsable)
  }

  @Test("warnings name unused features and tables of ids that do not fit")
  func warnings() throws {
    let folder = try TemporaryFolder(name: "data")
    try SmallData.write(to: folder)
    try folder.write("nothing", to: "audio_feat.npy")
    try folder.write("userID\tid\n0\n", to: "users.tsv")
    try folder.write("itemID\tid\n0\ta\n", to: "items.tsv")
    let warnings = DatasetValidation.validate(folder: folder.path).warnings
    for part in [
      "audio_feat.npy is not used: list it under modalities in dataset.yaml",
      "original user ids cannot be used", "users.tsv:2",
      "items.tsv has 1 ids, but there are 4 items",
    ] {
      #expect(warnings.contains { $0.contains(part) }, "'\(part)' is missing in \(warnings)")
    }
    // A run that names a file uses it.
    let modalities = [ModalityDescription(name: "audio", file: "audio_feat.npy")]
    let description = try DatasetDescription.read(folder: folder.path, modalities: modalities)
    #expect(description.unusedFeatureFiles.isEmpty)
  }

  @Test("figures have masks, the columns of interactions, ids and the history")
  func figures() throws {
    let folder = try TemporaryFolder(name: "data")
    try SmallData.write(to: folder)
    try FeatureMask([true, false, true, true]).write(to: folder.path("text_mask.npy"))
    try folder.write("userID\tid\n0\ta\n1\tb\n2\tc\n", to: "users.tsv")
    var file = DatasetDescriptionFile()
    file.modalities = [
      .init(name: "text", file: "text_feat.npy", mask: "text_mask.npy", fill: .zero),
      .init(name: "visual", file: "image_feat.npy"),
    ]
    try file.append(.init("import", ["source": "x.csv"]))
    try file.append(.init("split", ["rule": "random", "seed": "42"]))
    try file.write(to: folder.path)
    let statistics = try #require(DatasetValidation.validate(folder: folder.path).statistics)
    #expect(statistics.features[0].presentItems == 3 && statistics.features[0].fill == .zero)
    #expect(statistics.features[1].presentItems == nil)
    #expect(statistics.hasRatings && statistics.hasTimes)
    #expect(statistics.identifierFiles == ["users.tsv"] && statistics.history == file.history)
    let lines = statistics.lines.joined(separator: "\n")
    for part in [
      "3 items have it, the others are zero", "ratings, times", "users.tsv",
      "split: rule random, seed 42",
    ] {
      #expect(lines.contains(part), "'\(part)' is missing in\n\(lines)")
    }
    let data = try JSONEncoder().encode(statistics)
    let history = try JSONDecoder().decode(DatasetStatistics.self, from: data).history
    #expect(history.split?["seed"] == "42")
  }
}
