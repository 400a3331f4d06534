import Datasets

/// Features in an npy matrix, with ids in another file or without.
final class NPYFeatures: FeatureSource {
  var path: String { file.path }
  private let file: NPYFile
  private let ids: IDList?

  /// - Throws: ``DatasetError`` if the file is no matrix, or there is not one id per row.
  init(path: String, ids: IDList?) throws(DatasetError) {
    file = try NPYFile(path: path)
    self.ids = ids
    try Self.check(ids, rows: file.rows, columns: file.columns, path: path)
  }

  /// - Throws: ``DatasetError`` if there is not one id per row, or a row is too long.
  static func check(
    _ ids: IDList?, rows: Int, columns: Int, path: String
  ) throws(DatasetError) {
    guard columns <= FeatureLimits.columns else {
      throw DatasetError(
        .malformed, path: path,
        "has \(columns) columns; at most \(FeatureLimits.columns) can be read")
    }
    guard let ids, ids.count != rows else { return }
    throw DatasetError(
      .inconsistent, path: path,
      "has \(rows) rows, but there are \(ids.count) ids: the list has one id per row, in their "
        + "order")
  }

  func read(_ take: (FeatureRow) throws -> Void) throws {
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: file.columns)
    defer { values.deallocate() }
    guard let base = values.baseAddress else { return }
    for row in 0..<file.rows {
      file.copyRow(row, to: base)
      let share = Double(row) / Double(file.rows)
      try ids.withID(row) { id in
        try take(
          FeatureRow(
            id: id, place: .row(row), values: UnsafeBufferPointer(values), share: share))
      }
    }
  }
}
