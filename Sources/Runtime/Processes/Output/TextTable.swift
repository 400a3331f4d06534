import Files

/// A text table whose columns are as wide as their widest cell. Control characters in cells are
/// replaced, since cells may hold foreign text.
package struct TextTable: Sendable {
  private let rows: [[String]]
  private let leftColumns: Int

  /// - Parameters:
  ///   - leftColumns: how many columns, from the left, are aligned left; the others, which are
  ///     numbers, are aligned right.
  /// - Precondition: all rows are as long as the header.
  package init(header: [String], rows: [[String]], leftColumns: Int) {
    precondition(rows.allSatisfy { $0.count == header.count })
    self.rows = ([header] + rows).map { row in row.map { $0.sanitized(atMost: 200) } }
    self.leftColumns = leftColumns
  }

  /// The rows as lines, the header first; no line ends with a space.
  package var lines: [String] {
    let widths = (0..<(rows.first?.count ?? 0)).map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      let line = zip(row, widths).enumerated().map { column, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < leftColumns ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ")
      return line.lastIndex { $0 != " " }.map { String(line[...$0]) } ?? ""
    }
  }

  package var text: String { lines.joined(separator: "\n") }
}
