import Datasets
import Files
import Tables
import Tensors

/// The tables of an earlier run, mapped from the `parameters.safetensors` of its best model or of
/// `mrdib checkpoint export`: what a run on newer data can begin with.
///
/// Users and items keep their row numbers and new ones come after them, so the rows of the file are
/// the first rows of the tables. States of the optimizer are not taken over: its step count begins
/// again.
public struct InitialWeights: Sendable {
  public let path: String
  private let file: MappedFile
  private let payloadOffset: Int
  private let entries: [String: SafetensorsHeader.Entry]

  /// - Throws: `DatasetError` if the file cannot be read or is no safetensors file.
  public init(path: String) throws(DatasetError) {
    self.path = path
    file = try MappedFile(path: path)
    let header = try SafetensorsHeader(of: file)
    payloadOffset = file.bytes.count - header.byteCount
    entries = header.entries
  }

  /// The digest of the whole file.
  package var digest: String {
    var digest = ByteDigest()
    digest.append(file.bytes)
    return digest.text
  }

  /// How many rows of a table the file has; 0 for a table that it lacks.
  func rowCount(of table: TableSpec) -> Int {
    guard table.rule != .assigned, let entry = entries[table.name] else { return 0 }
    return min(entry.tensor.shape.first ?? 0, table.rows)
  }

  /// Copies rows of a table, `[rows, width]`.
  ///
  /// - Precondition: ``check(fit:)`` or ``check(fit:userCount:itemCount:)`` has accepted the
  ///   tables, and the file has the rows.
  package func copy(_ rows: Range<Int>, of table: TableSpec, to target: UnsafeMutablePointer<Float>)
  {
    guard !rows.isEmpty, let entry = entries[table.name], let base = file.bytes.baseAddress else {
      return
    }
    let rowByteCount = table.width * MemoryLayout<Float>.stride
    UnsafeMutableRawPointer(target).copyMemory(
      from: base + payloadOffset + entry.offset + rows.lowerBound * rowByteCount,
      byteCount: rows.count * rowByteCount)
  }

  /// Checks that the file has all rows of these tables.
  ///
  /// - Throws: ``ModelError`` that names the table.
  package func check(fit tables: [TableSpec]) throws(ModelError) {
    try check(fit: tables, userCount: 0, itemCount: 0)
    for table in tables where table.rule != .assigned && rowCount(of: table) < table.rows {
      throw problem("it lacks rows of '\(table.name)', which has \(table.rows)")
    }
  }

  /// Checks that the file's tables are the first rows of a model's.
  ///
  /// - Throws: ``ModelError`` that names the table.
  func check(fit tables: [TableSpec], userCount: Int, itemCount: Int) throws(ModelError) {
    var isOfModel = false
    for table in tables where table.rule != .assigned {
      guard let tensor = entries[table.name]?.tensor else { continue }
      isOfModel = true
      guard tensor.type == .float32, tensor.shape.count == 2, tensor.shape[1] == table.width else {
        throw problem(
          "its table '\(table.name)' is \(tensor.type.rawValue) \(tensor.shape), and that of this "
            + "run has rows of \(table.width) numbers (F32): train with the settings of the run "
            + "that wrote it")
      }
      let rows = tensor.shape[0]
      guard rows <= table.rows else {
        throw problem(
          "its table '\(table.name)' has \(rows) rows, and that of this run only \(table.rows): "
            + "data that lost users or items, or renumbered them, needs a run from the beginning")
      }
      guard rows == table.rows || [userCount, itemCount].contains(table.rows) else {
        throw problem(
          "its table '\(table.name)' has \(rows) rows, and that of this run \(table.rows): only "
            + "tables of users and items can grow; are the features the same?")
      }
    }
    guard isOfModel else {
      let names = tables.prefix(4).map(\.name).joined(separator: ", ")
      throw problem(
        "it has none of the tables of this model (\(names)): name the "
          + "parameters.safetensors of the same model")
    }
  }

  /// What a run begins with, a line per table of the model.
  package func lines(for tables: [TableSpec]) -> [String] {
    tables.filter { $0.rule != .assigned }.map { table in
      let rows = rowCount(of: table)
      let new = table.rows - rows
      let origin =
        rows == 0 ? "its own initial values" : new == 0 ? "all rows" : "\(rows) rows, \(new) new"
      return "\(table.name)\t\(origin)"
    }
  }

  private func problem(_ text: String) -> ModelError {
    ModelError(description: "Cannot begin with the weights in '\(path)': \(text).")
  }
}
