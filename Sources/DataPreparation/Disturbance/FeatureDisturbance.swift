import Datasets
import Files
import Foundation
import Tensors

/// Makes a copy of a folder whose features are disturbed: what does a model make of features that
/// carry less, or nothing, of what they should?
///
/// In this order, each only if it is asked for:
///
/// 1. A share of the items receives the features of another of these items, all modalities together
///    and with their masks: each of n items in random order those of the next, the last one those
///    of the first. So none of them keeps its own, and no features are lost.
/// 2. The rows of single modalities are permuted at random over the items that have the modality.
///    Each column keeps its values, and says nothing of its item any more.
/// 3. Noise is added to every feature of every modality: normal, independent, its standard
///    deviation a multiple of that of the feature's column over the items that have the modality.
///
/// Rows of items without a modality stay as they are. Interactions, labels and ids are the same.
package struct FeatureDisturbance: Sendable {
  /// Modalities whose rows are permuted.
  package var permuted: [String] = []
  /// The share of the items that receive another item's features, above 0 and at most 1.
  package var swapShare: Double?
  /// The standard deviation of the noise, in that of each column; above 0.
  package var noise: Double?
  package var seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Reads a folder and writes the disturbed one.
  ///
  /// - Parameters:
  ///   - folder: the data set's folder, split or not.
  ///   - path: the folder to make.
  ///   - replacesExisting: whether a folder with files at the path may be replaced.
  ///   - report: called with the progress.
  /// - Throws: ``DatasetError`` if the folder cannot be read or written, or has no features or not
  ///   those of the request; and what `report` throws. Nothing is written then.
  package func run(
    folder: String, to path: String, replacesExisting: Bool, report: StageReport
  ) throws -> DisturbanceSummary {
    let target = try NewFolder(path: path, replacesExisting: replacesExisting, from: folder)
    try report("reading", nil)
    let (source, columns) = try SourceFolder.read(folder)
    try check(source)
    let swapped = swaps(itemCount: source.itemCount)
    var summary = DisturbanceSummary(itemCount: source.itemCount, swapped: swapped.count)
    summary.isSplit = columns.labels != nil
    let description = source.description
    let files = [description.interactionsFile, description.usersFile, description.itemsFile]
    for file in files.compactMap({ $0 }) {
      try FileCopy.all(of: description.path(of: file), to: target, report: report)
    }
    for (position, feature) in source.features.enumerated() {
      let name = Self.name(of: feature)
      let isPermuted = permuted.contains(name)
      let rows = DisturbedRows(
        feature, swapped: swapped, isPermuted: isPermuted, noise: noise, seed: seed,
        position: position)
      try rows.write(to: target, report: report)
      if isPermuted { summary.permuted.append((name, rows.presentCount)) }
      if noise != nil { summary.noisy.append(name) }
      for list in NeighbourLists.files(forFeatures: feature.matrix.path) {
        if rows.isUnchanged {
          try FileCopy.all(of: list.path, to: target, report: report)
        } else {
          summary.staleNeighbourFiles.append((list.path as NSString).lastPathComponent)
        }
      }
    }
    summary.noise = noise
    try source.writeDescription(step(summary), to: target)
    try target.commit()
    return summary
  }

  private func check(_ source: SourceFolder) throws(DatasetError) {
    let names = source.features.map(Self.name)
    guard !names.isEmpty else {
      throw DatasetError(
        .configuration, path: source.description.folder,
        "has no features that could be disturbed: add some with mrdib data features")
    }
    for name in permuted where !names.contains(name) {
      throw DatasetError(
        .configuration, path: source.description.folder,
        "has no modality '\(name.sanitized(atMost: 32))' to permute: it has "
          + names.joined(separator: ", "))
    }
    if let swapShare, Self.count(swapShare, of: source.itemCount) < 2 {
      throw DatasetError(
        .configuration, path: source.description.folder,
        "has \(source.itemCount) items, of which --swap-share \(swapShare) takes fewer than two: "
          + "features are exchanged between items; give a larger share")
    }
  }

  /// The modality's name; for a file that the description does not list, that in the file's name.
  private static func name(of feature: SourceFeature) -> String {
    feature.modality?.name
      ?? String(feature.fileName.dropLast(ModalityDescription.fileSuffix.count))
  }

  private static func count(_ share: Double, of itemCount: Int) -> Int {
    min(itemCount, Int((share * Double(itemCount)).rounded()))
  }

  /// The items that receive others' features: each that of the next, the last that of the first.
  private func swaps(itemCount: Int) -> [Int32] {
    guard let swapShare else { return [] }
    let random = CounterRandom(seed: seed, stream: .exchange)
    let order = random.order(of: 0..<Int32(itemCount))
    return Array(order.prefix(Self.count(swapShare, of: itemCount)))
  }

  private func step(_ summary: DisturbanceSummary) -> DatasetHistory.Step {
    let settings: [(key: String, value: String?)] = [
      ("permuted", permuted.isEmpty ? nil : permuted.sorted().joined(separator: " ")),
      ("swap_share", swapShare.map { "\($0)" }),
      ("swapped_items", swapShare.map { _ in "\(summary.swapped)" }),
      ("noise", noise.map { "\($0)" }), ("seed", "\(seed)"),
    ]
    return DatasetHistory.Step(
      "disturb", fields: settings.compactMap { key, value in value.map { .init(key, $0) } })
  }
}

/// What a disturbance has changed.
package struct DisturbanceSummary: Sendable {
  package let itemCount: Int
  /// How many items have another item's features.
  package let swapped: Int
  /// The modalities whose rows are permuted, and over how many items.
  package internal(set) var permuted: [(name: String, items: Int)] = []
  package internal(set) var noise: Double?
  package internal(set) var noisy: [String] = []
  /// Whether the interactions have labels.
  package internal(set) var isSplit = false
  /// Lists of nearest items that do not fit the features any more, and were not copied.
  package internal(set) var staleNeighbourFiles: [String] = []

  init(itemCount: Int, swapped: Int) {
    self.itemCount = itemCount
    self.swapped = swapped
  }

  /// The summary for the terminal, one fact per line.
  package var lines: [String] {
    var lines: [String] = []
    if swapped > 0 {
      lines.append("\(swapped) of \(itemCount) items have another item's features")
    }
    lines += permuted.map { "\($0.name): rows permuted over \($0.items) items" }
    if let noise {
      lines.append(
        "noise of \(noise) × each column's standard deviation: \(noisy.joined(separator: ", "))")
    }
    if !staleNeighbourFiles.isEmpty {
      lines.append(
        "note: lists of nearest items no longer fit the features and were not copied: "
          + staleNeighbourFiles.sorted().joined(separator: ", "))
    }
    return lines
  }
}
