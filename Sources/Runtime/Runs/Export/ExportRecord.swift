import Datasets
import Tensors

/// `export.json`: what an export holds. It is written with every export, and makes a folder one
/// that `--overwrite` may replace.
package struct ExportRecord: Encodable {
  static let file = "export.json"

  /// Every name that an export may have.
  private static let parts: Set<String> = [
    file, "user.npy", "item.npy", "embeddings.safetensors", "item.faiss", "model.onnx", "user.csv",
    "item.csv", "run.trec", "valid.qrels", "test.qrels", "user_rows.tsv", "item_rows.tsv",
  ]

  /// The folder of an export.
  static let content = NewFolder.Content(word: "export", sign: file) { name in
    parts.contains(name) || IdentifierTable.Kind.allCases.contains { $0.files[0] == name }
  }

  /// The rows of a side.
  struct Rows: Encodable {
    /// In the whole matrix.
    let rows: Int
    let columns: Int
    /// In this export, if it holds changes only.
    var changed: Int?
  }

  let schemaVersion = 1
  let format: ExportFormat.RawValue
  let source: String
  let epoch: Int
  let version: UInt64
  /// The version that changes are relative to; nil for whole matrices.
  var since: UInt64?
  let user: Rows
  let item: Rows

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case format, source, epoch, version, since, user, item
  }

  init(_ format: ExportFormat, _ vectors: ExportedVectors) {
    self.format = format.rawValue
    source = vectors.source
    epoch = vectors.epoch
    version = vectors.version
    user = Rows(rows: vectors.users.rows, columns: vectors.users.columns)
    item = Rows(rows: vectors.items.rows, columns: vectors.items.columns)
  }

  /// Of changes: how many rows of each side changed since a version.
  init(
    _ format: ExportFormat, _ vectors: ExportedVectors, since: UInt64, users: Int, items: Int
  ) {
    self.format = format.rawValue
    source = vectors.source
    epoch = vectors.epoch
    version = vectors.version
    self.since = since
    user = Rows(rows: vectors.users.rows, columns: vectors.users.columns, changed: users)
    item = Rows(rows: vectors.items.rows, columns: vectors.items.columns, changed: items)
  }

  /// Whether the export is of a checkpoint, whose version the next one may be relative to.
  package var isOfCheckpoint: Bool { source != "best" }

  /// What was exported, for the user.
  package var sentence: String {
    guard let since else {
      return "version \(version): all rows; changes from now on: --since \(version)"
    }
    return
      "version \(version): \(user.changed ?? 0) of \(user.rows) users and \(item.changed ?? 0) of "
      + "\(item.rows) items changed since version \(since)"
  }

  /// Writes the record into a folder.
  func write(to folder: String) throws {
    try AtomicFile.write(
      try ResultJSON.encode(self, isPretty: true), to: "\(folder)/\(Self.file)")
  }
}
