import Datasets
import Files

/// The rows of a file with one JSON object per line. Nested values are ignored.
final class ObjectRows: RowReader {
  let roles: Set<ColumnRole>
  var lineNumber: Int { lines.lineNumber }
  let layout: ColumnLayout
  private let lines: LineReader
  private let object = ObjectLine()
  private let columns: [(role: ColumnRole, key: ObjectLine.Key, storage: ObjectLine.ValueStorage)]
  /// Whether the object is a row that was read already.
  private var holdsRow = true

  /// - Throws: ``DatasetError`` if the first line is no object, or its keys are not known.
  init(_ lines: LineReader, choice: ColumnChoice) throws(DatasetError) {
    self.lines = lines
    var first: UnsafeMutableRawBufferPointer?
    repeat { first = try lines.next() } while first?.isEmpty == true
    guard let first else {
      throw DatasetError(.malformed, path: lines.path, "has no lines: copy or export it again")
    }
    if let reason = object.read(UnsafeRawBufferPointer(first)) {
      throw DatasetError(
        .malformed, path: lines.path, line: lines.lineNumber,
        "\(RowProblem.notAnObject(reason).words); one object per line is needed, which "
          + "jq -c '.[]' makes of a list")
    }
    let keys = object.keys
    let line = object
    let storage = ObjectLine.ValueStorage()
    let values = keys.map { key in
      line.text(ObjectLine.Key(key), storage: storage)
        .map { String(decoding: $0.prefix(64), as: UTF8.self) } ?? ""
    }
    layout = try ColumnLayout(
      names: keys, row: values, choice: choice, path: lines.path, place: "key")
    roles = Set(layout.positions.keys)
    columns = layout.positions.map { role, position in
      (role, ObjectLine.Key(keys[position]), ObjectLine.ValueStorage())
    }.sorted { $0.role.rawValue < $1.role.rawValue }
  }

  func next(_ row: inout SourceRow) throws(DatasetError) -> RowStep {
    if holdsRow {
      holdsRow = false
    } else {
      var line: UnsafeMutableRawBufferPointer?
      repeat { line = try lines.next() } while line?.isEmpty == true
      guard let line else { return .end }
      if let reason = object.read(UnsafeRawBufferPointer(line)) {
        return .damaged(.notAnObject(reason))
      }
    }
    for (role, key, storage) in columns {
      guard let value = object.text(key, storage: storage) else {
        return .damaged(.missing(role, key: key.name))
      }
      switch role {
      case .user: row.user = value
      case .item: row.item = value
      case .rating: row.rating = value
      case .time: row.time = value
      case .label: row.label = value
      }
    }
    return .row
  }
}
