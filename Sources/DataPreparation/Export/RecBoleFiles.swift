import Datasets
import Foundation

/// A folder of RecBole's atomic files, with a configuration that names them:
///
///     NAME.train.inter, .valid, .test    training, validation, test: `benchmark_filename`
///     NAME.inter                         instead, if the folder is not split
///     NAME.item                          titles, categories, texts, if they are known
///     NAME.visual, NAME.text, …          features, a file for each modality: `preload_weight`
///     recbole.yaml                       for `config_file_list`
///
/// - Source: RecBole's documentation "Atomic Files", "Additional Feature Embedding" and
///   "benchmark_filename".
struct RecBoleFiles {
  /// The configuration's name does not depend on the folder's, so that it can be recognised.
  static let configuration = "recbole.yaml"
  static let content = NewFolder.Content(word: "export to RecBole", sign: configuration) { name in
    // Anything with a dot may be a modality's file.
    name.contains(".")
  }

  let name: String
  let source: SourceFolder
  let columns: InteractionColumns

  /// Writes all files.
  ///
  /// - Returns: what could not be taken over, in sentences.
  /// - Throws: ``DatasetError`` if an id has a quotation mark, which RecBole's reader takes for the
  ///   beginning of a quoted field, or a file cannot be written.
  func write(to folder: NewFolder, report: StageReport) throws -> [String] {
    try checkIdentifiers()
    try report("writing interactions", nil)
    let parts = try writeInteractions(to: folder)
    let itemFields = try writeItems(to: folder)
    for feature in modalities {
      try report("writing \(feature.name)", nil)
      try write(feature.source, named: feature.name, to: folder, report: report)
    }
    try AtomicFile.write(
      Array(configurationText(parts: parts, itemFields: itemFields).utf8),
      to: folder.path(of: Self.configuration))
    let unlisted = source.features.filter { $0.modality == nil }.map(\.fileName)
    return unlisted.isEmpty
      ? []
      : [
        "note: features that dataset.yaml does not list were left out: "
          + unlisted.joined(separator: ", ")
      ]
  }

  private var modalities: [(name: String, source: SourceFeature)] {
    source.features.compactMap { feature in feature.modality.map { ($0.name, feature) } }
  }

  private func checkIdentifiers() throws {
    for table in [source.users, source.items].compactMap({ $0 }) {
      for row in 0..<table.count where table.idBytes(of: row).contains(UInt8(ascii: "\"")) {
        throw DatasetError(
          .malformed, path: table.path,
          "has the id '\(table.id(of: row).prefix(64))' with a quotation mark, which RecBole "
            + "cannot read; rename it")
      }
    }
  }

  private func user(_ row: Int32) -> String { source.users?.id(of: Int(row)) ?? "\(row)" }
  private func item(_ row: Int32) -> String { source.items?.id(of: Int(row)) ?? "\(row)" }

  // MARK: Interactions

  private var interactionFields: [String] {
    ["user_id:token", "item_id:token"] + (columns.ratings == nil ? [] : ["rating:float"])
      + (columns.times == nil ? [] : ["timestamp:float"])
  }

  /// - Returns: the names of the parts; empty if the folder is not split.
  private func writeInteractions(to folder: NewFolder) throws -> [String] {
    guard let labels = columns.labels else {
      try writeRows(to: folder.path(of: "\(name).inter")) { _ in true }
      return []
    }
    let parts: [(name: String, label: SplitLabel)] = [
      ("train", .train), ("valid", .valid), ("test", .test),
    ]
    for part in parts {
      try writeRows(to: folder.path(of: "\(name).\(part.name).inter")) {
        labels[$0] == part.label
      }
    }
    return parts.map(\.name)
  }

  private func writeRows(to path: String, where isChosen: (Int) -> Bool) throws {
    let file = try BufferedFile(path: path)
    try file.write(interactionFields.joined(separator: "\t") + "\n")
    for row in 0..<columns.count where isChosen(row) {
      var fields = [user(columns.users[row]), item(columns.items[row])]
      if let rating = columns.ratings?[row] { fields.append(rating.isNaN ? "" : "\(rating)") }
      if let time = columns.times?[row] { fields.append(time.isNaN ? "" : Self.text(time)) }
      try file.write(fields.joined(separator: "\t") + "\n")
    }
    try file.commit()
  }

  /// A time without an exponent.
  private static func text(_ time: Double) -> String {
    guard time == time.rounded(), abs(time) < 1e15 else { return "\(time)" }
    return "\(Int64(time))"
  }

  // MARK: Items

  /// - Returns: the fields of items next to their ids; empty if there is no file of items.
  private func writeItems(to folder: NewFolder) throws -> [String] {
    guard let items = source.items, !items.columns.isEmpty else { return [] }
    let file = try BufferedFile(path: folder.path(of: "\(name).item"))
    let fields = items.columns.map(\.rawValue)
    try file.write(
      (["item_id:token"] + fields.map { "\($0):token_seq" }).joined(separator: "\t") + "\n")
    for row in 0..<items.count {
      let values = items.columns.map { column in
        (items.value(column, of: row) ?? "").replacing("\"", with: "'")
      }
      try file.write(([items.id(of: row)] + values).joined(separator: "\t") + "\n")
    }
    try file.commit()
    return fields
  }

  // MARK: Features

  /// A line per item that has the modality.
  private func write(
    _ feature: SourceFeature, named modality: String, to folder: NewFolder, report: StageReport
  ) throws {
    let file = try BufferedFile(path: folder.path(of: "\(name).\(modality)"))
    try file.write("\(modality)_id:token\t\(modality)_vector:float_seq\n")
    let matrix = feature.matrix
    var row = [Float](repeating: 0, count: matrix.columns)
    for index in 0..<matrix.rows where feature.mask?.isPresent[index] ?? true {
      if index.isMultiple(of: 1 << 10) {
        try report("writing \(modality)", Double(index) / Double(matrix.rows))
      }
      row.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { matrix.copyRow(index, to: base) }
      }
      let numbers = row.map(\.description).joined(separator: " ")
      try file.write("\(item(Int32(index)))\t\(numbers)\n")
    }
    try file.commit()
  }

  // MARK: Configuration

  private func configurationText(parts: [String], itemFields: [String]) -> String {
    let names = modalities.map(\.name)
    let inter = interactionFields.map { $0.prefix { $0 != ":" } }.joined(separator: ", ")
    var lines = [
      "# For RecBole's config_file_list. data_path is the folder that this folder is in.",
      "dataset: \(name)", "field_separator: \"\\t\"", "seq_separator: \" \"",
      "USER_ID_FIELD: user_id", "ITEM_ID_FIELD: item_id",
    ]
    if columns.ratings != nil { lines.append("RATING_FIELD: rating") }
    if columns.times != nil { lines.append("TIME_FIELD: timestamp") }
    if !parts.isEmpty { lines.append("benchmark_filename: [\(parts.joined(separator: ", "))]") }
    lines += ["load_col:", "  inter: [\(inter)]"]
    if !itemFields.isEmpty {
      lines.append("  item: [item_id, \(itemFields.joined(separator: ", "))]")
    }
    for name in names { lines.append("  \(name): [\(name)_id, \(name)_vector]") }
    if !names.isEmpty {
      lines += [
        "additional_feat_suffix: [\(names.joined(separator: ", "))]",
        "alias_of_item_id: [\(names.map { "\($0)_id" }.joined(separator: ", "))]",
        "preload_weight:",
      ]
      lines += names.map { "  \($0)_id: \($0)_vector" }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
