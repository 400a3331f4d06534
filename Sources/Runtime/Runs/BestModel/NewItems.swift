import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Settings
import Tensors

/// Items that came after training, read from a folder with feature files by the names of the
/// trained data set's files (`NewItemFeatures`), and optionally a table of ids.
struct NewItems {
  /// Final vectors, `[new items, D]`.
  let vectors: Matrix
  /// Nil if the folder has no table: ids are row numbers then.
  let identifiers: IdentifierTable?
  /// Which modalities no new item has, as a sentence; nil if there are none.
  let note: String?

  /// - Parameters:
  ///   - folder: with the feature files.
  ///   - items: the final vectors of the trained items, `[I, D]`.
  ///   - tables: reads tables of the backbone.
  /// - Throws: ``RuntimeError`` for a model that cannot rank new items, or ids of another number of
  ///   items; `DatasetError` for features that cannot be read or do not fit the model.
  init(
    folder: String, setup: RunSetup, items: Matrix, tables: (Set<Int>) throws -> [Matrix]
  ) throws {
    let name = setup.configuration.model.model
    guard let source = setup.model.backbone.newItemVectors else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot rank new items with '\(name)': it has vectors only for the items that it "
          + "was trained with. Models that can rank them: "
          + ModelRegistry.namesRankingNewItems.joined(separator: ", ") + ".")
    }
    let dataset = setup.dataset
    let new = try NewItemFeatures(
      folder: folder, like: dataset, treatment: setup.configuration.featureTreatment)
    identifiers = try Self.identifiers(in: folder)
    let count = new.features.first?.rows ?? 0
    if let identifiers, identifiers.count != count {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message:
          "Cannot read the new items in '\(folder)': their features have \(count) rows, but "
          + "'\(identifiers.path)' has \(identifiers.count). Give every file one row per new item, "
          + "in the same order.")
    }
    note =
      new.absent.isEmpty
      ? nil
      : new.absent.map { "no new item has '\($0.modality)': '\($0.path)' is not there" }
        .joined(separator: "; ")
    vectors = try source.vectors(
      of: new.features, parameters: try tables(Set(source.tables)),
      trained: TrainedItems(
        features: dataset.features, vectors: items, trainingCounts: dataset.trainingCounts))
  }

  private static func identifiers(in folder: String) throws -> IdentifierTable? {
    let path = IdentifierTable.Kind.items.files.map { "\(folder)/\($0)" }
      .first { FileManager.default.fileExists(atPath: $0) }
    return try path.map { try IdentifierTable(path: $0, kind: .items) }
  }
}
