import Datasets
import Files

/// The rows of a file with delimited fields.
final class DelimitedRows: RowReader {
  let roles: Set<ColumnRole>
  var lineNumber: Int { reader.lines.lineNumber }
  let layout: ColumnLayout
  let delimiter: Delimiter
  private let reader: DelimitedReader
  private let columns: [(role: ColumnRole, position: Int)]
  /// What was read already of the rows: the first one.
  private var held: DelimitedReader.Step?

  /// - Throws: ``DatasetError`` if the file is empty or its columns cannot be found.
  init(
    _ lines: LineReader, format: SourceFormat, hasHeader: Bool?, choice: ColumnChoice
  ) throws(DatasetError) {
    delimiter = format.delimiter ?? Delimiter.find(inBeginning: lines.beginning) ?? .comma
    reader = DelimitedReader(lines, delimiter: delimiter, hasQuotes: format.hasQuotes)
    switch try reader.next() {
    case .record: break
    case .damaged(let problem):
      throw DatasetError(
        .malformed, path: lines.path, line: lines.lineNumber, RowProblem(problem).words)
    case .end:
      throw DatasetError(.malformed, path: lines.path, "has no lines: copy or export it again")
    }
    guard reader.fieldCount <= DelimitedReader.mostFields else {
      throw DatasetError(
        .malformed, path: lines.path, line: 1,
        "has \(reader.fieldCount) columns; at most \(DelimitedReader.mostFields) can be read")
    }
    let first = reader.fields
    let isHeader =
      hasHeader ?? (format.order == nil && ColumnLayout.isHeader(first, choice: choice))
    guard first.count > 1 || isHeader else {
      throw DatasetError(
        .malformed, path: lines.path, line: lines.lineNumber,
        "has one column, but a user and an item are needed: no tab, comma or semicolon is in its "
          + "first line")
    }
    held = isHeader ? try reader.next() : .record
    layout =
      isHeader
      ? try ColumnLayout(
        names: first.map { Self.name($0, format) }, row: held == .record ? reader.fields : [],
        choice: choice, path: lines.path)
      : try ColumnLayout(row: first, order: format.order, choice: choice, path: lines.path)
    columns = layout.positions.map { ($0.key, $0.value) }.sorted { $0.position < $1.position }
    roles = Set(layout.positions.keys)
  }

  /// The name of a column, without RecBole's type.
  private static func name(_ field: String, _ format: SourceFormat) -> String {
    let name = format == .recbole ? field.prefix { $0 != ":" } : field[...]
    return String(name.drop { $0 == " " })
  }

  func next(_ row: inout SourceRow) throws(DatasetError) -> RowStep {
    let step: DelimitedReader.Step
    if let held { step = held } else { step = try reader.next() }
    held = nil
    switch step {
    case .record: break
    case .damaged(let problem): return .damaged(RowProblem(problem))
    case .end: return .end
    }
    guard reader.fieldCount == layout.count else {
      return .damaged(
        reader.hasNUL
          ? .nul(nil) : .fieldCount(found: reader.fieldCount, expected: layout.count))
    }
    for (role, position) in columns {
      let field = reader.field(position)
      switch role {
      case .user: row.user = field
      case .item: row.item = field
      case .rating: row.rating = field
      case .time: row.time = field
      case .label: row.label = field
      }
    }
    return .row
  }
}
