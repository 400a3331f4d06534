import Datasets
import Files
import Foundation

/// What an import writes next to the interactions.
extension DataImport {
  /// Copies features, and makes room for items that have features and no interactions.
  func writeArrays(to folder: NewFolder, items: IDNumbering) throws(DatasetError) {
    for path in files.arrays {
      let name = FilePath.name(of: path)
      if name.hasSuffix("_feat.npy") {
        items.include(idsBelow: try NPYFile(path: path).rows)
      }
      let copy = try FileCopy(path, to: folder)
      while try copy.next() != nil { try observer.noteProgress(doneBytes, of: allBytes) }
      observer.notify("copied \(name)")
    }
  }

  /// Lets the observer stop the work now and then.
  private func checkStop(_ id: Int) throws(DatasetError) {
    if id % 65_536 == 65_535 { try observer.noteProgress(doneBytes, of: allBytes) }
  }

  /// The original ids of a source that has numbers; nil if it has none, or not of all.
  private func originalIDs(
    _ path: String?, _ kind: IdentifierTable.Kind, _ numbering: IDNumbering
  ) throws(DatasetError) -> IdentifierTable? {
    guard let path else { return nil }
    let table = try IdentifierTable(path: path, kind: kind)
    numbering.include(idsBelow: table.count)
    guard table.count == numbering.count else {
      observer.warn(
        "\(FilePath.name(of: path)) has original ids of \(table.count) of \(numbering.count) "
          + "\(kind.word)s, so the numbers are used in place of all")
      return nil
    }
    return table
  }

  /// Writes `users.tsv`.
  func writeUsers(
    _ users: IDNumbering, to folder: NewFolder
  ) throws(DatasetError) {
    let table = try originalIDs(files.userMap, .users, users)
    let writer = try IdentifierTableWriter(folder: folder.workPath, kind: .users)
    for id in 0..<users.count {
      try checkStop(id)
      if let table {
        try writer.append(id: table.idBytes(of: id))
      } else {
        try users.withID(id) { bytes throws(DatasetError) in try writer.append(id: bytes) }
      }
    }
    try writer.finish()
  }

  /// Writes `items.tsv`, with what a description of the items says.
  mutating func writeItems(
    _ items: IDNumbering, to folder: NewFolder
  ) throws(DatasetError) {
    let table = try originalIDs(files.itemMap, .items, items)
    let texts = try ItemTexts(folder: folder, itemCount: items.count)
    if let path = files.items {
      let file = ItemFile(
        path: path, idColumn: options.itemIDColumn, itemColumn: options.columns.names[.item],
        onRefill: onRefill)
      let found = try file.read(
        into: texts,
        find: { text in
          table.map { $0.dense(of: text).map { Int32($0) } } ?? items.find(text)
        }, notify: { observer.notify($0) })
      let damage = found.damage
      try report(damage, path: path, rowCount: found.rowCount)
      let count = "\(texts.count) of \(items.count) items are described"
      if texts.count > 0 {
        observer.notify(count)
      } else {
        observer.warn(
          "\(count) by \(FilePath.name(of: path)): it took '\(found.idName)' as the item"
            + (found.firstID.map { ", such as '\($0)'" } ?? "")
            + "; if another column has the ids of the interactions, name it with --item-id-column")
      }
    }
    if let table, !table.columns.isEmpty {
      // A folder's own texts stay, where a file does not describe the item again.
      for id in 0..<table.count {
        try checkStop(id)
        let known = table.columns.compactMap { column in
          table.value(column, of: id).map { (column, $0) }
        }
        try texts.add(Int32(id), Dictionary(known) { first, _ in first })
      }
      observer.notify("\(texts.count) of \(items.count) items have titles, categories or texts")
    }
    summary.describedItems = texts.count
    let reader = try texts.finish()
    let writer = try IdentifierTableWriter(
      folder: folder.workPath, kind: .items, columns: reader.columns)
    for id in 0..<items.count {
      try checkStop(id)
      let values = try reader.values(of: id)
      if let table {
        try writer.append(id: table.idBytes(of: id), values: values)
      } else {
        try items.withID(id) { bytes throws(DatasetError) in
          try writer.append(id: bytes, values: values)
        }
      }
    }
    try writer.finish()
  }

  /// Writes `dataset.yaml`, with how the folder was made.
  func writeDescription(
    name: String, interactions: String, roles: Set<ColumnRole>, timeOrder: TimeOrder?,
    to folder: NewFolder
  ) throws(DatasetError) {
    var description = DatasetDescriptionFile()
    if let source = files.folder {
      description = try DatasetDescriptionFile.read(folder: source)
      let copied = Set(files.arrays.map { FilePath.name(of: $0) })
      description.modalities?.removeAll { modality in
        let isCopied = [modality.file, modality.mask].compactMap { $0 }.allSatisfy(copied.contains)
        if !isCopied {
          observer.warn(
            "left out the modality \(modality.name): \(modality.file.sanitized()) is not an npy "
              + "file in the folder itself")
        }
        return !isCopied
      }
    }
    description.name = name
    description.interactions = interactions
    description.users = "users.tsv"
    description.items = "items.tsv"
    var step: [DatasetHistory.Field] = [
      .init("format", files.format.rawValue),
      .init("source", files.parts.map { FilePath.name(of: $0.path) }.joined(separator: " ")),
    ]
    if let items = files.items { step.append(.init("items", FilePath.name(of: items))) }
    step += [
      .init("rows_read", "\(summary.rowsRead)"), .init("rows_written", "\(summary.rowsWritten)"),
      .init("damaged_rows_skipped", "\(summary.damagedRows)"),
      .init("ids", files.keepsIDs ? "kept" : "numbered by first appearance"),
    ]
    if let timeOrder { step.append(.init(TimeOrder.field, timeOrder.rawValue)) }
    if files.parts.contains(where: { $0.label != nil }) || roles.contains(.label) {
      step.append(.init("x_label", "from the source"))
    }
    try description.append(DatasetHistory.Step("import", fields: step))
    try description.write(to: folder.workPath)
  }
}
