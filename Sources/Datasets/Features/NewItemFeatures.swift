internal import Foundation
import Tensors

/// The features of items that came after training, read from a folder with the files of a data set.
///
/// An item lacks a modality where the folder's mask says so, where its row is NaN in all columns
/// and the run declares such rows missing, and, like all others, where the folder has no file of
/// it.
package struct NewItemFeatures: Sendable {
  /// One matrix per modality of the data set, in its order, `[new items, columns]`; what stands in
  /// rows of items without a modality is what the run's treatment says.
  package let features: [FeatureMatrix]
  /// The modalities that no new item has, and the files that are not there.
  package let absent: [(modality: String, path: String)]

  /// - Parameters:
  ///   - folder: with a file of at least one modality, one row per new item.
  ///   - dataset: whose modalities and names of files are meant, as the run reads it.
  ///   - treatment: the run's.
  /// - Throws: ``DatasetError`` for files that cannot be read, have other numbers of rows or
  ///   columns, or where there are none.
  package init(
    folder: String, like dataset: Dataset, treatment: FeatureTreatment
  ) throws(DatasetError) {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var read: [FeatureMatrix?] = []
    for trained in dataset.features {
      let described = Self.description(of: trained, in: dataset, files)
      guard files.contains(described.file) else {
        read.append(nil)
        continue
      }
      let file = try NPYFile(path: "\(folder)/\(described.file)")
      guard file.columns == trained.columns else {
        throw DatasetError(
          .inconsistent, path: file.path,
          "rows have \(file.columns) numbers, but the model was trained with \(trained.columns) of "
            + "the modality '\(trained.name)'; make the features in the same way")
      }
      var mask: FeatureMask?
      if let path = described.mask, files.contains(path) {
        mask = try FeatureMask.read("\(folder)/\(path)", itemCount: file.rows)
      }
      read.append(
        try FeatureMatrix(
          name: trained.name, file: file, mask: mask, acceptsNaNRows: treatment.acceptsNaNRows))
    }
    let present = read.compactMap { $0 }
    guard let first = present.first else {
      let names = dataset.features.map { Self.description(of: $0, in: dataset, files).file }
      throw DatasetError(
        .notFound, path: folder,
        "holds no features of new items: looked for \(names.joined(separator: " and "))")
    }
    if let other = present.first(where: { $0.rows != first.rows }) {
      throw DatasetError(
        .inconsistent, path: first.file?.path ?? folder,
        "has \(first.rows) rows, but '\(other.file?.path ?? other.name)' has \(other.rows); give "
          + "every file one row per new item, in the same order")
    }
    var absent: [(modality: String, path: String)] = []
    var features: [FeatureMatrix] = []
    for (trained, own) in zip(dataset.features, read) {
      if own == nil {
        let file = Self.description(of: trained, in: dataset, files).file
        absent.append((trained.name, "\(folder)/\(file)"))
      }
      let feature: FeatureMatrix
      if let own { feature = own } else { feature = try .lacking(like: trained, rows: first.rows) }
      features.append(treatment.applied(toNew: feature, like: trained))
    }
    self.features = features
    self.absent = absent
  }

  /// The files of a modality by the names that they have in the data set.
  private static func description(
    of feature: FeatureMatrix, in dataset: Dataset, _ files: [String]
  ) -> ModalityDescription {
    let listed = dataset.description?.modalities.first { $0.name == feature.name }
    return (listed ?? ModalityDescription(name: feature.name, isMasked: false))
      .masked(ifThereIsOneOf: files)
  }
}

extension FeatureMatrix {
  /// Zeros for items that all lack the modality.
  fileprivate static func lacking(
    like trained: FeatureMatrix, rows: Int
  ) throws(DatasetError) -> FeatureMatrix {
    try FeatureMatrix(
      name: trained.name, matrix: Matrix(rows: rows, columns: trained.columns),
      mask: FeatureMask(Array(repeating: false, count: rows)))
  }
}
