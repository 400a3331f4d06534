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
  private let isWide: Bool
  private let table: HTMLTable?

  /// - Parameters:
  ///   - legend: left out if it has a single entry or none.
  ///   - caption: what is shown and how to read it.
  ///   - isWide: whether the drawing scrolls on narrow screens, where its texts would be too small.
  ///   - table: the numbers, which a reader may open.
  package init(
    _ title: String, legend: [Key] = [], drawing: HTML, caption: HTML = HTML(),
    isWide: Bool = false, table: HTMLTable? = nil
  ) {
    self.title = title
    self.legend = legend
    self.drawing = drawing
    self.caption = caption
    self.isWide = isWide
    self.table = table
  }

  package var html: HTML {
    .element("figure") {
      HTML.paragraph("panel-title") { title }
      if legend.count > 1 { keys }
      if isWide {
        HTML.element("div", ["class": "scroll wide", "tabindex": "0"]) { drawing }
      } else {
        drawing
      }
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

/// The colours of series, see ``StyleSheet``.
enum SeriesStyle {
  /// How many there are for names; the last one is grey.
  static let count = 8
  /// How many there are for degrees of something, from little to much.
  private static let degrees = 5

  /// Those after the last one share the last.
  static func of(_ position: Int) -> Int { min(position, count - 1) }

  /// The colour of a degree, the greatest of which is the strongest.
  static func ofDegree(_ position: Int, of total: Int) -> Int {
    count + max(0, degrees - total + position)
  }
}
