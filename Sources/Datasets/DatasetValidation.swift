import Files
import Tensors

/// What to know about a folder before training on it: problems, warnings and figures.
///
/// Training and ``DatasetStatistics`` read a folder with the same code, so that they come to the
/// same verdict.
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
  /// Whether models without features can be trained, in spite of problems with the features.
  public let isUsableWithoutFeatures: Bool

  public var isUsable: Bool { problems.isEmpty }

  /// Whether models with features can be trained: there are some, and there are no problems.
  public var isUsableWithFeatures: Bool { statistics.map { !$0.features.isEmpty } ?? false }

  /// Looks for all problems of a data set's folder, features included if there are any.
  ///
  /// - Parameter limit: how many problems to list at most; at least 1.
  public static func validate(
    folder: String, modalities: [ModalityDescription]? = nil, limit: Int = 20
  ) -> DatasetValidation {
    var reader = DatasetReader(
      folder: folder, modalities: modalities, featureUse: .checked, problemLimit: limit)
    do {
      if let dataset = try reader.read() {
        guard let problem = dataset.trainingProblem else { return DatasetValidation(dataset) }
        return DatasetValidation(
          problems: [problem], isCutShort: false, folder: folder, modalities: modalities)
      }
      return DatasetValidation(
        problems: reader.log.problems, isCutShort: false, folder: folder, modalities: modalities)
    } catch {
      return DatasetValidation(
        problems: reader.log.problems, isCutShort: true, folder: folder, modalities: modalities)
    }
  }

  private init(_ dataset: Dataset) {
    problems = []
    isCutShort = false
    warnings = dataset.warnings
    statistics = DatasetStatistics(dataset)
    isUsableWithoutFeatures = true
  }

  private init(
    problems: [DatasetError], isCutShort: Bool, folder: String, modalities: [ModalityDescription]?
  ) {
    self.problems = problems
    self.isCutShort = isCutShort
    warnings = []
    statistics = nil
    let plain = try? Dataset.load(folder: folder, modalities: modalities, needsFeatures: false)
    isUsableWithoutFeatures = plain.map { $0.trainingProblem == nil } ?? false
  }
}

extension Dataset {
  /// What in the folder is not used, as sentences: feature files that belong to no modality.
  package var unusedFileWarnings: [String] {
    (description?.unusedFeatureFiles ?? []).map(DatasetStatistics.unusedWarning)
  }

  /// What can be used, but may be a mistake, as sentences.
  fileprivate var warnings: [String] {
    var warnings: [String] = []
    if test.columns.isEmpty {
      warnings.append(
        "no user with training rows has test rows (x_label 2), so only validation can be reported")
    }
    if dropped.users > 0 {
      warnings.append(
        "\(dropped.users) \(dropped.users == 1 ? "user has" : "users have") no training rows; "
          + "their \(dropped.valid) "
          + "validation and \(dropped.test) test rows are not used")
    }
    let coldCount = itemCount - negativePool.count
    if coldCount > 0 {
      let items = coldCount == 1 ? "item has" : "items have"
      warnings.append("\(coldCount) \(items) no training rows; they are still ranked")
    }
    if features.isEmpty {
      warnings.append("there are no features; only models without features can be trained")
    }
    return warnings + features.flatMap(\.warnings) + unusedFileWarnings + identifierWarnings
  }

  /// Tables of ids that cannot be used, or belong to other data.
  private var identifierWarnings: [String] {
    guard let description else { return [] }
    let tables: [(IdentifierTable.Kind, String?, Int)] = [
      (.users, description.usersFile, userCount), (.items, description.itemsFile, itemCount),
    ]
    return tables.compactMap { kind, file, count in
      guard let file else { return nil }
      do {
        let table = try IdentifierTable(path: description.path(of: file), kind: kind)
        guard table.count != count else { return nil }
        return "\(file.sanitized(atMost: 200)) has \(table.count) ids, but there are \(count) "
          + "\(kind.word)s"
      } catch {
        return "the original \(kind.word) ids cannot be used: \(error)"
      }
    }
  }
}

extension FeatureMatrix {
  fileprivate var warnings: [String] {
    var warnings: [String] = []
    if zeroRowCount > 0, mask == nil {
      warnings.append("\(name): \(zeroRowCount) of \(rows) rows are all zero")
    }
    if largestMagnitude > 1e6 {
      warnings.append(
        "\(name): has values up to \(largestMagnitude), with which training "
          + "hardly works; scale the features, for instance to mean 0 and deviation 1")
    }
    if file?.isFortranOrder == true {
      warnings.append(
        "\(name): is stored column by column, which makes reading rows slow; "
          + "np.save(file, np.ascontiguousarray(np.load(file))) fixes that")
    }
    return warnings
  }
}
