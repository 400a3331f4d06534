import Datasets
import Files
import Foundation

/// Where a preparation has got to: a stage and its share from 0 to 1, if that is known. Throws to
/// stop the preparation.
package typealias StageReport = (_ stage: String, _ share: Double?) throws -> Void

/// Some users and items of a folder, as a new folder in which they have dense ids of their own.
///
/// The order of users and of items stays. Ids, titles, features and masks are those of the same
/// users and items as before.
package struct FolderSelection {
  package let source: SourceFolder
  package let users: Renumbering
  package let items: Renumbering

  /// - Parameters:
  ///   - columns: the interactions that are taken, with the ids of the source. Users without any
  ///     are left out.
  ///   - keepsItem: for each item of the source, whether it is kept without interactions too; nil
  ///     for none.
  package init(source: SourceFolder, taking columns: InteractionColumns, keepsItem: [Bool]?) {
    self.source = source
    var isUserKept = [Bool](repeating: false, count: source.userCount)
    var isItemKept = keepsItem ?? [Bool](repeating: false, count: source.itemCount)
    for row in 0..<columns.count {
      isUserKept[Int(columns.users[row])] = true
      isItemKept[Int(columns.items[row])] = true
    }
    users = Renumbering(keeping: isUserKept)
    items = Renumbering(keeping: isItemKept)
  }

  /// Files of nearest items that cannot be carried over, because items are left out. Sorted.
  package var staleNeighbourFiles: [String] {
    items.isIdentity ? [] : neighbourFiles.map { ($0 as NSString).lastPathComponent }.sorted()
  }

  /// What a user should know of ``staleNeighbourFiles``; nil if there are none.
  static func note(ofStale files: [String]) -> String? {
    guard !files.isEmpty else { return nil }
    return
      "note: items were left out, so lists of nearest items no longer hold and were not copied: "
      + files.joined(separator: ", ")
  }

  /// Writes all files of the new folder.
  ///
  /// - Parameters:
  ///   - folder: where to write; not committed here.
  ///   - columns: the interactions, with the ids of the source.
  ///   - order: the rows of the columns in the order in which they are written.
  ///   - step: what is added to the history.
  /// - Throws: ``DatasetError`` if a file cannot be written, or what `report` throws.
  package func write(
    to folder: NewFolder, columns: InteractionColumns, order: some Sequence<Int>,
    step: DatasetHistory.Step, report: StageReport
  ) throws {
    try writeInteractions(columns, order: order, to: folder, report: report)
    try writeIdentifiers(.users, source.users, users, to: folder, report: report)
    try writeIdentifiers(.items, source.items, items, to: folder, report: report)
    for feature in source.features { try write(feature, to: folder, report: report) }
    if items.isIdentity {
      for path in neighbourFiles { try FileCopy.all(of: path, to: folder, report: report) }
    }
    try source.writeDescription(step, to: folder)
  }

  private func writeInteractions(
    _ columns: InteractionColumns, order: some Sequence<Int>, to folder: NewFolder,
    report: StageReport
  ) throws {
    var written: InteractionFileWriter.Columns = []
    if columns.ratings != nil { written.insert(.ratings) }
    if columns.times != nil { written.insert(.times) }
    if columns.labels != nil { written.insert(.labels) }
    let writer = try InteractionFileWriter(
      path: folder.path(of: source.interactionsFileName), columns: written)
    for (position, row) in order.enumerated() {
      if position.isMultiple(of: 1 << 16) {
        try report("writing interactions", Double(position) / Double(columns.count))
      }
      try writer.append(
        user: users[columns.users[row]], item: items[columns.items[row]],
        rating: columns.ratings?[row] ?? .nan, time: columns.times?[row] ?? .nan,
        label: columns.labels?[row] ?? .train)
    }
    try writer.finish()
  }

  /// Writes a table of original ids. Without a table in the source, the old dense numbers are the
  /// original ids, unless they are still right.
  private func writeIdentifiers(
    _ kind: IdentifierTable.Kind, _ table: IdentifierTable?, _ ids: Renumbering,
    to folder: NewFolder, report: StageReport
  ) throws {
    guard table != nil || !ids.isIdentity else { return }
    let columns = table?.columns ?? []
    let writer = try IdentifierTableWriter(
      folder: folder.workPath, kind: kind, columns: columns)
    for (new, old) in ids.kept.enumerated() {
      if new.isMultiple(of: 1 << 16) {
        try report("writing ids of \(kind.word)s", Double(new) / Double(ids.count))
      }
      if let table {
        let values = columns.map { table.value($0, of: Int(old)) ?? "" }
        try writer.append(id: table.idBytes(of: Int(old)), values: values)
      } else {
        try writer.append(id: String(old))
      }
    }
    try writer.finish()
  }

  private func write(
    _ feature: SourceFeature, to folder: NewFolder, report: StageReport
  ) throws {
    guard !items.isIdentity else {
      try FileCopy.all(of: feature.matrix.path, to: folder, report: report)
      if let path = feature.maskPath { try FileCopy.all(of: path, to: folder, report: report) }
      return
    }
    let matrix = feature.matrix
    let writer = try NPYWriter.begin(
      path: folder.path(of: feature.fileName), rows: items.count, columns: matrix.columns)
    var row = [Float](repeating: 0, count: matrix.columns)
    for (new, old) in items.kept.enumerated() {
      if new.isMultiple(of: 1 << 12) {
        try report("writing \(feature.fileName)", Double(new) / Double(items.count))
      }
      try row.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        matrix.copyRow(Int(old), to: base)
        try writer.append(base, count: 1)
      }
    }
    try writer.finish()
    if let mask = feature.mask, let name = feature.maskFileName {
      try FeatureMask(items.kept.map { mask.isPresent[Int($0)] })
        .write(to: folder.path(of: name))
    }
  }

  /// The paths of the files of nearest items that belong to the features, `NAME_knn10.npy`.
  private var neighbourFiles: [String] {
    source.features.flatMap { NeighbourLists.files(forFeatures: $0.matrix.path).map(\.path) }
  }
}
