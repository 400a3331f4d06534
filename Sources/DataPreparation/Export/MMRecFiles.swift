import Datasets
import Foundation

/// A folder in the layout that MMRec reads, with a configuration for its `configs/dataset`:
///
///     NAME.inter                          userID itemID … x_label
///     image_feat.npy, text_feat.npy       the modalities visual and text; others as OTHER_feat.npy
///     u_id_mapping.csv, i_id_mapping.csv  original ids, with tabs, as MMRec has them
///     mmrec.yaml                          to be copied to `configs/dataset/NAME.yaml`
///
/// - Source: MMRec's `src/utils/dataset.py`, `src/configs/dataset/baby.yaml` and the published data
///   sets.
struct MMRecFiles {
  static let configuration = "mmrec.yaml"
  private static let mappings = (users: "u_id_mapping.csv", items: "i_id_mapping.csv")
  static let content = NewFolder.Content(word: "export to MMRec", sign: configuration) { name in
    [configuration, mappings.users, mappings.items].contains(name) || name.hasSuffix(".inter")
      || name.hasSuffix(ModalityDescription.fileSuffix)
  }

  let name: String
  let source: SourceFolder
  let columns: InteractionColumns

  /// Writes all files.
  ///
  /// - Returns: what could not be taken over, in sentences.
  /// - Throws: ``DatasetError`` if the folder is not split, which MMRec needs, or a file cannot be
  ///   written.
  func write(to folder: NewFolder, report: StageReport) throws -> [String] {
    guard let labels = columns.labels else {
      throw DatasetError(
        .configuration, path: source.description.folder,
        "is not split, which MMRec needs; make a split folder with mrdib data split")
    }
    try report("writing interactions", nil)
    var written: InteractionFileWriter.Columns = [.labels]
    if columns.ratings != nil { written.insert(.ratings) }
    if columns.times != nil { written.insert(.times) }
    let writer = try InteractionFileWriter(path: folder.path(of: "\(name).inter"), columns: written)
    for row in 0..<columns.count {
      try writer.append(
        user: columns.users[row], item: columns.items[row],
        rating: columns.ratings?[row] ?? .nan, time: columns.times?[row] ?? .nan,
        label: labels[row])
    }
    try writer.finish()
    try writeMapping(source.users, header: "user_id\tuserID", to: folder, Self.mappings.users)
    try writeMapping(source.items, header: "asin\titemID", to: folder, Self.mappings.items)
    for feature in source.features {
      try write(feature, to: folder, report: report)
    }
    try AtomicFile.write(
      Array(configurationText.utf8), to: folder.path(of: Self.configuration))
    return notes
  }

  private func writeMapping(
    _ table: IdentifierTable?, header: String, to folder: NewFolder, _ file: String
  ) throws {
    guard let table else { return }
    let output = try BufferedFile(path: folder.path(of: file))
    try output.write(header + "\n")
    for row in 0..<table.count { try output.write("\(table.id(of: row))\t\(row)\n") }
    try output.commit()
  }

  // MARK: Features

  /// The name that MMRec looks for, by modality.
  private static func fileName(of modality: String) -> String {
    ModalityDescription.standard.first { $0.name == modality }?.file
      ?? "\(modality)\(ModalityDescription.fileSuffix)"
  }

  /// Writes 32-bit floats in C order: MMRec's readers take them as they are.
  private func write(
    _ feature: SourceFeature, to folder: NewFolder, report: StageReport
  ) throws {
    guard let modality = feature.modality?.name else { return }
    let matrix = feature.matrix
    let file = Self.fileName(of: modality)
    let writer = try NPYWriter.begin(
      path: folder.path(of: file), rows: matrix.rows, columns: matrix.columns)
    var row = [Float](repeating: 0, count: matrix.columns)
    for index in 0..<matrix.rows {
      if index.isMultiple(of: 1 << 12) {
        try report("writing \(file)", Double(index) / Double(matrix.rows))
      }
      try row.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        matrix.copyRow(index, to: base)
        try writer.append(base, count: 1)
      }
    }
    try writer.finish()
  }

  private var notes: [String] {
    let modalities = source.features.compactMap { $0.modality?.name }
    let standard = Set(ModalityDescription.standard.map(\.name))
    let others = modalities.filter { !standard.contains($0) }
    var notes: [String] = []
    if !others.isEmpty {
      notes.append(
        "note: MMRec's models read visual and text only; not used by them: "
          + others.map(Self.fileName).joined(separator: ", "))
    }
    let masked = source.features.filter { $0.mask != nil }.compactMap { $0.modality?.name }
    if !masked.isEmpty {
      notes.append(
        "note: MMRec has no masks; items without \(masked.joined(separator: ", ")) have the rows "
          + "that stand for them here")
    }
    return notes
  }

  private var configurationText: String {
    let names = Set(source.features.compactMap { $0.modality?.name })
    var lines = [
      "# For MMRec: copy this file to src/configs/dataset/\(name).yaml, and the folder to data.",
      "USER_ID_FIELD: userID", "ITEM_ID_FIELD: itemID", "filter_out_cod_start_users: True",
      "inter_file_name: '\(name).inter'",
    ]
    for (modality, key) in [("visual", "vision_feature_file"), ("text", "text_feature_file")]
    where names.contains(modality) {
      lines.append("\(key): '\(Self.fileName(of: modality))'")
    }
    lines += [
      "user_graph_dict_file: 'user_graph_dict.npy'", "field_separator: \"\\t\"",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}
