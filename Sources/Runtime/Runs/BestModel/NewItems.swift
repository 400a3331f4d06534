import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Settings
import Tensors

/// Items that came after training, read from a folder with a feature file of every modality, by the
/// names of the trained data set's files, and optionally a table of ids.
struct NewItems {
  /// Final vectors, `[new items, D]`.
  let vectors: Matrix
  /// Nil if the folder has no table: ids are row numbers then.
  let identifiers: IdentifierTable?

  /// - Parameters:
  ///   - folder: with the feature files.
  ///   - items: the final vectors of the trained items, `[I, D]`.
  ///   - tables: reads tables of the backbone.
  /// - Throws: ``RuntimeError`` for a model that cannot rank new items, for features of another
  ///   width or number of items; `DatasetError` for files that cannot be read.
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
    let trained = setup.dataset.features
    let new = try trained.map { try Self.features(like: $0, in: folder) }
    identifiers = try Self.identifiers(in: folder)
    let counts =
      new.map { (name: $0.file?.path ?? $0.name, rows: $0.rows) }
      + (identifiers.map { [(name: $0.path, rows: $0.count)] } ?? [])
    if let first = counts.first, let other = counts.first(where: { $0.rows != first.rows }) {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message:
          "Cannot read the new items in '\(folder)': '\(first.name)' has \(first.rows) rows, "
          + "but '\(other.name)' has \(other.rows). Give every file one row per new item, in the "
          + "same order.")
    }
    let dataset = setup.dataset
    vectors = try source.vectors(
      of: new, parameters: try tables(Set(source.tables)),
      trained: TrainedItems(
        features: trained, vectors: items, trainingCounts: dataset.trainingCounts))
  }

  private static func features(
    like trained: FeatureMatrix, in folder: String
  ) throws -> FeatureMatrix {
    let file = trained.file.map { URL(fileURLWithPath: $0.path).lastPathComponent }
    let path = "\(folder)/\(file ?? ModalityDescription(name: trained.name, isMasked: false).file)"
    let new = try FeatureMatrix(name: trained.name, file: NPYFile(path: path))
    guard new.columns == trained.columns else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the new items in '\(path)': rows have \(new.columns) numbers, but "
          + "the model was trained with \(trained.columns) of the modality '\(trained.name)'. Make "
          + "the features in the same way.")
    }
    return new
  }

  private static func identifiers(in folder: String) throws -> IdentifierTable? {
    let path = IdentifierTable.Kind.items.files.map { "\(folder)/\($0)" }
      .first { FileManager.default.fileExists(atPath: $0) }
    return try path.map { try IdentifierTable(path: $0, kind: .items) }
  }
}
