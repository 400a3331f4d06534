/// A table whose first column names its rows.
package struct HTMLTable: Sendable {
  /// What a column holds: texts are aligned left, numbers right.
  package enum Column: Sendable, Equatable {
    case text(String)
    case number(String)

    var title: String {
      switch self {
      case .text(let title), .number(let title): title
      }
    }

    var kind: String? {
      switch self {
      case .text: nil
      case .number: "number"
      }
    }
  }

  /// A row, and whether it is emphasized.
  package struct Row: Sendable {
    let cells: [HTML]
    let isEmphasized: Bool

    package init(_ cells: [HTML], isEmphasized: Bool = false) {
      self.cells = cells
      self.isEmphasized = isEmphasized
    }
  }

  private let caption: HTML
  private let columns: [Column]
  private let rows: [Row]

  /// - Precondition: all rows are as long as the columns.
  package init(_ caption: HTML, columns: [Column], rows: [Row]) {
    precondition(rows.allSatisfy { $0.cells.count == columns.count }, "a ragged table")
    self.caption = caption
    self.columns = columns
    self.rows = rows
  }

  /// A table of texts.
  package init(_ caption: String, columns: [Column], rows: [[String]]) {
    self.init(HTML(caption), columns: columns, rows: rows.map { Row($0.map { HTML($0) }) })
  }

  /// The table in a box that scrolls if it is wider than the page, also by keys.
  package var html: HTML {
    .element("div", ["class": "scroll", "tabindex": "0", "role": "group", "aria-label": "table"]) {
      HTML.element("table") {
        HTML.element("caption") { caption }
        HTML.element("thead") {
          HTML.element("tr") {
            for column in columns {
              HTML.element("th", ["scope": "col", "class": column.kind]) { column.title }
            }
          }
        }
        HTML.element("tbody") {
          for row in rows {
            HTML.element("tr", ["class": row.isEmphasized ? "emphasized" : nil]) {
              for (position, content) in row.cells.enumerated() {
                cell(columns[position], content, isFirst: position == 0)
              }
            }
          }
        }
      }
    }
  }

  private func cell(_ column: Column, _ content: HTML, isFirst: Bool) -> HTML {
    isFirst
      ? .element("th", ["scope": "row", "class": column.kind]) { content }
      : .element("td", ["class": column.kind]) { content }
  }
}

/// Names with values, such as the facts at the beginning of a report.
package struct FactList: Sendable {
  private var facts: [(name: String, value: HTML)] = []

  package init() {}

  /// Adds a fact; nothing if its value is nil.
  package mutating func add(_ name: String, _ value: HTML?) {
    if let value { facts.append((name, value)) }
  }

  /// Adds a fact; nothing if its value is nil or empty.
  package mutating func add(_ name: String, _ value: String?) {
    if let value, !value.isEmpty { add(name, HTML(value)) }
  }

  package var html: HTML {
    .element("dl", ["class": "facts"]) {
      for fact in facts {
        HTML.element("div") {
          HTML.element("dt") { fact.name }
          HTML.element("dd") { fact.value }
        }
      }
    }
  }
}
