import Files
internal import Foundation
import Tensors

/// Figures of a data set, for comparison with its published description.
public struct DatasetStatistics: Sendable, Equatable, Codable {
  /// One modality.
  public struct Feature: Sendable, Equatable, Codable {
    public let name: String
    /// The file in the data set's folder; nil of a data set made in memory.
    public let file: String?
    public let rows: Int
    public let columns: Int
    /// Rows that hold nothing but zeros.
    public let zeroRows: Int
    /// Items that have the modality, by its mask; nil if it has none.
    public let presentItems: Int?
    /// What the rows of other items were filled with, if it is known.
    public let fill: FeatureFill?
  }

  public let name: String
  public let digest: String
  public let users: Int
  public let items: Int
  /// Train, validation and test together, without what was dropped.
  public let interactions: Int
  public let train: Int
  public let valid: Int
  public let test: Int
  /// What was left out of validation and test.
  public let dropped: DroppedInteractions
  /// interactions / (users · items).
  public let density: Double
  /// Training interactions per user, users without any included.
  public let trainPerUser: CountSummary
  /// Training interactions per item, items without any included.
  public let trainPerItem: CountSummary
  /// Items without training interactions: their id rows are never trained.
  public let coldItems: Int
  public let features: [Feature]
  /// Whether the interactions have ratings and times.
  public let hasRatings: Bool
  public let hasTimes: Bool
  /// The files of the original ids.
  public let identifierFiles: [String]
  /// Feature files that belong to no modality.
  public let unusedFeatureFiles: [String]
  /// How the folder was made, oldest step first; empty if it does not say so.
  public let history: DatasetHistory

  public init(_ dataset: Dataset) {
    name = dataset.name
    digest = dataset.digest
    users = dataset.userCount
    items = dataset.itemCount
    train = dataset.trainUsers.count
    valid = dataset.valid.columns.count
    test = dataset.test.columns.count
    interactions = train + valid + test
    dropped = dataset.dropped
    density = Double(interactions) / (Double(users) * Double(items))
    trainPerUser = CountSummary((0..<dataset.userCount).map(dataset.train.degree))
    trainPerItem = CountSummary(dataset.trainingCounts)
    coldItems = items - dataset.negativePool.count
    let description = dataset.description
    features = dataset.features.map { feature in
      let modality = description?.modalities.first { $0.name == feature.name }
      return Feature(
        name: feature.name, file: modality?.file, rows: feature.rows, columns: feature.columns,
        zeroRows: feature.zeroRowCount, presentItems: feature.mask?.presentCount,
        fill: modality?.fill)
    }
    hasRatings = dataset.columns.contains(.ratings)
    hasTimes = dataset.columns.contains(.times)
    identifierFiles = [description?.usersFile, description?.itemsFile].compactMap { $0 }
    unusedFeatureFiles = description?.unusedFeatureFiles ?? []
    history = dataset.history
  }
}

/// The distribution of a set of counts.
public struct CountSummary: Sendable, Equatable, Codable {
  public let minimum: Int
  /// The middle value; the mean of the two middle ones if their number is even.
  public let median: Double
  public let mean: Double
  public let maximum: Int

  /// - Precondition: `counts` is not empty.
  init(_ counts: [Int]) {
    precondition(!counts.isEmpty, "CountSummary of nothing")
    let sorted = counts.sorted()
    minimum = sorted[0]
    median = Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    mean = Double(sorted.reduce(0, +)) / Double(sorted.count)
    maximum = sorted[sorted.count - 1]
  }
}

extension DatasetStatistics {
  /// The warning about a feature file that belongs to no modality.
  package static func unusedWarning(_ file: String) -> String {
    "\(file.sanitized(atMost: 200)) is not used: list it under modalities in dataset.yaml"
  }

  /// The figures as lines for a terminal.
  public var lines: [String] {
    var lines = [
      Self.line("data set", "\(name) (digest \(digest))"),
      Self.line("users", "\(users)"),
      Self.line("items", "\(items), \(coldItems) of them without training interactions"),
      Self.line("interactions", "\(interactions) (density \(Self.percent(density)))"),
      Self.line("train / valid / test", "\(train) / \(valid) / \(test)"),
      Self.line("train per user", Self.text(trainPerUser)),
      Self.line("train per item", Self.text(trainPerItem)),
    ]
    if dropped.users > 0 {
      lines.append(
        Self.line(
          "dropped",
          "\(dropped.users) users without training interactions, with \(dropped.valid) in valid "
            + "and \(dropped.test) in test"))
    }
    for feature in features { lines.append(feature.line) }
    if features.isEmpty { lines.append(Self.line("features", "none")) }
    let columns = [(hasRatings, "ratings"), (hasTimes, "times")].filter(\.0).map(\.1)
    let having = columns.isEmpty ? "no ratings or times" : columns.joined(separator: ", ")
    lines.append(Self.line("interactions have", having))
    lines.append(
      Self.line(
        "original ids",
        identifierFiles.isEmpty ? "not known" : identifierFiles.joined(separator: ", ")))
    for step in history.steps { lines.append(Self.line("made by", step.line)) }
    return lines.map { $0.withoutControlCharacters() }
  }

  fileprivate static func line(_ label: String, _ value: String) -> String {
    label + String(repeating: " ", count: max(1, 22 - label.count)) + value
  }

  private static func percent(_ share: Double) -> String {
    String(format: "%.4f %%", share * 100)
  }

  private static func text(_ summary: CountSummary) -> String {
    String(
      format: "min %d, median %.1f, mean %.2f, max %d", summary.minimum, summary.median,
      summary.mean, summary.maximum)
  }
}

extension DatasetStatistics.Feature {
  fileprivate var line: String {
    var text = "\(rows) × \(columns)"
    if let presentItems {
      let filled =
        switch fill {
        case .zero: "the others are zero"
        case .mean: "the others are the mean"
        case nil: "the others are filled"
        }
      text += ", \(presentItems) items have it, \(filled)"
    } else if zeroRows > 0 {
      text += ", \(zeroRows) rows all zero"
    }
    return DatasetStatistics.line("features \(name)", text)
  }
}
