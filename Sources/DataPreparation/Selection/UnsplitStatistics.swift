import Datasets
import Files

/// Figures of a folder whose interactions are not divided yet. ``DatasetStatistics`` has those of
/// one that can be trained on.
package struct UnsplitStatistics: Sendable, Encodable {
  /// One feature file.
  package struct Feature: Sendable, Encodable {
    package let name: String
    package let rows: Int
    package let columns: Int
    /// Items that have the modality, by its mask; nil if it has none.
    package let presentItems: Int?
  }

  package let name: String
  /// Always false; ``DatasetStatistics`` has no such key.
  package let split = false
  package let users: Int
  package let items: Int
  package let interactions: Int
  package let hasRatings: Bool
  package let hasTimes: Bool
  /// Seconds since 1970; nil without times.
  package let firstTime: Double?
  package let lastTime: Double?
  package let features: [Feature]
  package let identifierFiles: [String]
  package let history: DatasetHistory

  /// - Throws: ``DatasetError`` if the folder cannot be read or is damaged.
  package init(folder: String) throws(DatasetError) {
    let (source, columns) = try SourceFolder.read(folder)
    let description = source.description
    name = description.name
    users = source.userCount
    items = source.itemCount
    interactions = columns.count
    hasRatings = columns.ratings != nil
    let times = (columns.times ?? []).filter { !$0.isNaN }
    hasTimes = !times.isEmpty
    firstTime = times.min()
    lastTime = times.max()
    features = source.features.map { feature in
      Feature(
        name: feature.modality?.name ?? feature.fileName, rows: feature.matrix.rows,
        columns: feature.matrix.columns, presentItems: feature.mask?.presentCount)
    }
    identifierFiles = [description.usersFile, description.itemsFile].compactMap { $0 }
    history = description.history
  }

  /// The figures as lines for a terminal.
  package var lines: [String] {
    var lines = [
      ("data set", "\(name), not split into training, validation and test yet"),
      ("users", "\(users)"), ("items", "\(items)"), ("interactions", "\(interactions)"),
      ("interactions have", columnWords),
    ]
    if let firstTime, let lastTime {
      lines.append(("times", "\(TimePoint.text(firstTime)) to \(TimePoint.text(lastTime))"))
    }
    lines += features.map { feature in
      let present = feature.presentItems.map { ", \($0) items have it" } ?? ""
      return ("features \(feature.name)", "\(feature.rows) × \(feature.columns)\(present)")
    }
    if features.isEmpty { lines.append(("features", "none")) }
    lines.append(
      (
        "original ids",
        identifierFiles.isEmpty ? "not known" : identifierFiles.joined(separator: ", ")
      ))
    lines += history.steps.map { ("made by", $0.line) }
    return lines.map { label, value in
      (label + String(repeating: " ", count: max(1, 22 - label.count)) + value)
        .withoutControlCharacters()
    }
  }

  private var columnWords: String {
    let names = [(hasRatings, "ratings"), (hasTimes, "times")].filter(\.0).map(\.1)
    return names.isEmpty ? "no ratings or times" : names.joined(separator: ", ")
  }
}
