/// A figure: its title, what its colours mean, the drawing, a caption, and the numbers behind it.
package struct ChartFigure: Sendable {
  /// An entry of a legend.
  package struct Key: Sendable {
    package enum Shape: Sendable {
      case line
      case dot
    }

    let name: String
    let style: Int
    let shape: Shape

    package init(_ name: String, style: Int, shape: Shape = .line) {
      (self.name, self.style, self.shape) = (name, style, shape)
    }
  }

  private let title: String
  private let legend: [Key]
  private let drawing: HTML
  private let caption: HTML
  private let table: HTMLTable?

  /// - Parameters:
  ///   - legend: left out if it has a single entry or none.
  ///   - caption: what is shown and how to read it.
  ///   - table: the numbers, which a reader may open.
  package init(
    _ title: String, legend: [Key] = [], drawing: HTML, caption: HTML = HTML(),
    table: HTMLTable? = nil
  ) {
    self.title = title
    self.legend = legend
    self.drawing = drawing
    self.caption = caption
    self.table = table
  }

  package var html: HTML {
    .element("figure") {
      HTML.paragraph("panel-title") { title }
      if legend.count > 1 { keys }
      drawing
      if caption != HTML() { HTML.element("figcaption") { caption } }
      if let table { HTML.details("Numbers") { table.html } }
    }
  }

  private var keys: HTML {
    Self.list(of: legend)
  }

  /// What some colours mean, for several drawings together.
  package static func list(of legend: [Key]) -> HTML {
    .element("ul", ["class": "legend"]) {
      for key in legend {
        HTML.element("li") {
          HTML.element("svg", ["viewBox": "0 0 30 10", "aria-hidden": "true"]) {
            switch key.shape {
            case .line: PlotFrame.line("curve s\(key.style)", 1, 5, 29, 5)
            case .dot: PlotFrame.circle("point f\(key.style)", 15, 5, radius: 4.5)
            }
          }
          HTML.foreign(key.name, atMost: 100)
        }
      }
    }
  }
}

/// The colours of series, see ``StyleSheet``: those after the last one share the last, grey.
enum SeriesStyle {
  static let count = 8

  static func of(_ position: Int) -> Int { min(position, count - 1) }
}
