import Tensors

/// What to know about a folder before training on it: problems, warnings and figures.
public struct DatasetValidation: Sendable {
  /// Why the folder cannot be used, in the order of the stages of reading; never more than the
  /// limit given.
  public let problems: [DatasetError]
  /// Whether the search ended at the limit.
  public let isCutShort: Bool
  /// What can be used, but may be a mistake.
  public let warnings: [String]
  /// The figures, if there are no problems.
  public let statistics: DatasetStatistics?

  public var isUsable: Bool { problems.isEmpty }

  /// Looks for all problems of a data set's folder, features included if there are any.
  ///
  /// - Parameter limit: how many problems to list at most; at least 1.
  public static func validate(
    folder: String, modalities: [ModalityDescription]? = nil, limit: Int = 20
  ) -> DatasetValidation {
    var reader = DatasetReader(
      folder: folder, modalities: modalities, featureUse: .checked, problemLimit: limit)
    do {
      let dataset = try reader.read()
      if let dataset, dataset.valid.columns.isEmpty { return lackingValidation(folder) }
      return DatasetValidation(
        problems: reader.log.problems, isCutShort: false,
        warnings: dataset.map(warnings) ?? [], statistics: dataset.map(DatasetStatistics.init))
    } catch {
      return DatasetValidation(
        problems: reader.log.problems, isCutShort: true, warnings: [], statistics: nil)
    }
  }

  /// Without validation rows no best epoch can be chosen, so training refuses the data set.
  private static func lackingValidation(_ folder: String) -> DatasetValidation {
    let problem = DatasetError(
      .inconsistent, path: folder,
      "no user with training rows has validation rows (x_label 1), so no best epoch can be chosen: "
        + "mark about 10 % of each user's rows 1")
    return DatasetValidation(
      problems: [problem], isCutShort: false, warnings: [], statistics: nil)
  }

  private static func warnings(_ dataset: Dataset) -> [String] {
    var warnings: [String] = []
    if dataset.test.columns.isEmpty {
      warnings.append(
        "no user with training rows has test rows (x_label 2), so only validation can be reported")
    }
    if dataset.dropped.users > 0 {
      warnings.append(
        "\(dataset.dropped.users) users have no training rows; their \(dataset.dropped.valid) "
          + "validation and \(dataset.dropped.test) test rows are not used")
    }
    let coldCount = dataset.itemCount - dataset.negativePool.count
    if coldCount > 0 {
      warnings.append("\(coldCount) items have no training rows; they are still ranked")
    }
    if dataset.features.isEmpty {
      warnings.append("there are no features; only models without features can be trained")
    }
    for feature in dataset.features {
      if feature.zeroRowCount > 0 {
        warnings.append(
          "\(feature.name): \(feature.zeroRowCount) of \(feature.rows) rows are all zero")
      }
      if feature.largestMagnitude > 1e6 {
        warnings.append(
          "\(feature.name): has values up to \(feature.largestMagnitude), with which training "
            + "hardly works; scale the features, for instance to mean 0 and deviation 1")
      }
      if feature.file?.isFortranOrder == true {
        warnings.append(
          "\(feature.name): is stored column by column, which makes reading rows slow; "
            + "np.save(file, np.ascontiguousarray(np.load(file))) fixes that")
      }
    }
    return warnings
  }
}
