import Datasets
import Files
import Foundation

/// A folder of which a part is to be taken: what it holds, next to its interactions.
package struct SourceFolder {
  package let description: DatasetDescription
  /// The original ids, if the folder has them.
  package let users: IdentifierTable?
  package let items: IdentifierTable?
  /// All feature files: those of the description, then those that it does not list.
  package let features: [SourceFeature]
  /// How many dense ids there are, with or without interactions.
  package let userCount: Int
  package let itemCount: Int

  /// Reads a folder, split or not.
  ///
  /// - Throws: ``DatasetError`` if a file cannot be read or is damaged, or if the files do not
  ///   agree on the number of users or items.
  package static func read(
    _ folder: String
  ) throws(DatasetError) -> (source: SourceFolder, columns: InteractionColumns) {
    let description = try DatasetDescription.read(folder: folder)
    let raw = try InteractionFile.readRaw(description.path(of: description.interactionsFile))
    let source = try SourceFolder(description, raw)
    return (source, InteractionColumns(raw))
  }

  private init(
    _ description: DatasetDescription, _ raw: RawInteractions
  ) throws(DatasetError) {
    self.description = description
    users = try Self.table(.users, description.usersFile, in: description)
    items = try Self.table(.items, description.itemsFile, in: description)
    features = try SourceFeature.all(of: description)
    userCount = try Self.count(
      raw.users, "user", in: raw, extents: [users.map { ($0.path, $0.count) }])
    itemCount = try Self.count(
      raw.items, "item", in: raw,
      extents: [items.map { ($0.path, $0.count) }]
        + features.map { ($0.matrix.path, $0.matrix.rows) })
  }

  /// Whether each item has features of some modality, `[I]`; nil if all have.
  package func itemsWithFeatures() throws(DatasetError) -> [Bool]? {
    guard !features.isEmpty else { return [Bool](repeating: false, count: itemCount) }
    var hasSome = [Bool](repeating: false, count: itemCount)
    for feature in features {
      guard let mask = feature.mask else { return nil }
      for item in hasSome.indices where mask.isPresent[item] { hasSome[item] = true }
    }
    return hasSome
  }

  /// Hashes of the original ids by dense id; of the dense numbers where there is no table.
  package func identifierHashes() -> (users: [UInt64], items: [UInt64]) {
    let hashes = { (table: IdentifierTable?, count: Int) in
      table.map { table in (0..<count).map { IdentifierHash.hash(table.idBytes(of: $0)) } }
        ?? IdentifierHash.numbers(count: count)
    }
    return (hashes(users, userCount), hashes(items, itemCount))
  }

  private static func table(
    _ kind: IdentifierTable.Kind, _ file: String?, in description: DatasetDescription
  ) throws(DatasetError) -> IdentifierTable? {
    guard let file else { return nil }
    return try IdentifierTable(path: description.path(of: file), kind: kind)
  }

  /// The number of ids: that of the tables and features, which must agree, else the largest id + 1.
  private static func count(
    _ ids: [Int32], _ word: String, in raw: RawInteractions, extents: [(path: String, rows: Int)?]
  ) throws(DatasetError) -> Int {
    let needed = Int(ids.max() ?? -1) + 1
    let extents = extents.compactMap { $0 }
    guard let first = extents.first else {
      // Memory is proportional to the largest id.
      guard needed <= 16 * ids.count + 1 << 20 else {
        throw DatasetError(
          .inconsistent, path: raw.source,
          "has \(word) ids up to \(needed - 1) in \(ids.count) rows: number the \(word)s 0, 1, "
            + "2, …, for instance with mrdib data import")
      }
      return needed
    }
    for extent in extents where extent.rows != first.rows {
      throw DatasetError(
        .inconsistent, path: extent.path,
        "has \(extent.rows) rows, but \(first.path) has \(first.rows): both have one row per "
          + "\(word); export both for the same \(word)s")
    }
    guard needed <= first.rows else {
      throw DatasetError(
        .inconsistent, path: first.path,
        "has \(first.rows) rows, but \(word) ids run to \(needed - 1) in \(raw.source), which "
          + "needs \(needed): row numbers are \(word) ids")
    }
    return first.rows
  }
}

extension InteractionColumns {
  /// The columns of a file. Times are left out if no row has one, or all have the same: they do not
  /// order anything.
  init(_ raw: RawInteractions) {
    self.init(
      users: raw.users, items: raw.items, ratings: raw.ratings, times: raw.times,
      labels: raw.labels)
  }

  /// Whether the times order the rows: some row has one, and not all are the same.
  package var hasUsefulTimes: Bool {
    guard let times, let first = times.first(where: { !$0.isNaN }) else { return false }
    return times.contains { !$0.isNaN && $0 != first }
  }

  /// How many rows have no time.
  package var missingTimeCount: Int { times.map { times in times.count { $0.isNaN } } ?? count }
}

/// A feature file of a folder, with the mask of the items that have the modality.
package struct SourceFeature {
  package let matrix: NPYFile
  /// Nil if all items have the modality.
  package let mask: FeatureMask?
  /// The path of the mask's file.
  let maskPath: String?
  /// The description's entry; nil for a file that it does not list.
  package let modality: ModalityDescription?

  /// The names that the files have in a folder that is made from this one.
  package var fileName: String { (matrix.path as NSString).lastPathComponent }
  package var maskFileName: String? { maskPath.map { ($0 as NSString).lastPathComponent } }

  /// The feature files that the description lists, then those that it does not.
  ///
  /// - Throws: ``DatasetError`` if one cannot be read, or two have the same name.
  static func all(
    of description: DatasetDescription
  ) throws(DatasetError) -> [SourceFeature] {
    var features: [SourceFeature] = []
    for modality in description.modalities {
      features.append(
        try SourceFeature(
          description.path(of: modality.file), mask: modality.mask.map(description.path),
          modality: modality))
    }
    for file in description.unusedFeatureFiles {
      let name = String(file.dropLast(ModalityDescription.fileSuffix.count))
      let mask = ModalityDescription(name: name, isMasked: true).mask.map(description.path)
      let isMasked = mask.map(FileManager.default.fileExists(atPath:)) ?? false
      features.append(
        try SourceFeature(
          description.path(of: file), mask: isMasked ? mask : nil, modality: nil))
    }
    let names = features.flatMap { [$0.fileName] + ($0.maskFileName.map { [$0] } ?? []) }
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
      throw DatasetError(
        .configuration, path: description.folder,
        "has two files called \(name.sanitized(atMost: 64)) in its description, but a folder holds "
          + "one of a name: rename one of them")
    }
    return features
  }

  private init(
    _ path: String, mask: String?, modality: ModalityDescription?
  ) throws(DatasetError) {
    matrix = try NPYFile(path: path)
    maskPath = mask
    self.mask =
      if let mask { try FeatureMask.read(mask, itemCount: matrix.rows) } else { nil }
    self.modality = modality
  }
}
