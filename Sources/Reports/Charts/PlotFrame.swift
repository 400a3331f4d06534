internal import Foundation

/// The area of a chart between its axes, in the units of its drawing.
struct PlotFrame {
  var width: Double
  var height: Double
  var left = 46.0
  var right = 14.0
  var top = 18.0
  var bottom = 36.0
  let x: AxisScale
  let y: AxisScale

  func horizontal(_ value: Double) -> Double {
    left + x.position(value) * (width - left - right)
  }

  func vertical(_ value: Double) -> Double {
    height - bottom - y.position(value) * (height - top - bottom)
  }

  /// A drawing of the frame's size.
  ///
  /// - Parameter description: what it shows, for readers who cannot see it.
  func drawing(_ description: String, @HTMLBuilder _ content: () -> HTML) -> HTML {
    .element(
      "svg",
      [
        "viewBox": "0 0 \(Self.number(width)) \(Self.number(height))", "role": "img",
        "aria-label": description,
      ], content)
  }

  /// Both axes with their ticks, rules at the ticks of the second one, and their titles.
  ///
  /// - Parameters:
  ///   - xTitle: below the first axis.
  ///   - yTitle: above the second axis; what the values are, with their unit.
  func axes(xTitle: String, yTitle: String) -> HTML {
    let (floor, end) = (height - bottom, width - right)
    return HTML([
      HTML(
        y.ticks.map { tick in
          Self.line("rule", left, vertical(tick), end, vertical(tick))
        }),
      Self.line("axis", left, floor, end, floor),
      HTML(
        x.ticks.map { tick in
          HTML([
            Self.line("axis", horizontal(tick), floor, horizontal(tick), floor + 4),
            Self.text(x.label(tick), horizontal(tick), floor + 16, anchor: "middle"),
          ])
        }),
      HTML(
        y.ticks.map { tick in
          Self.text(y.label(tick), left - 6, vertical(tick) + 4, anchor: "end")
        }),
      Self.text(xTitle, (left + end) / 2, height - 4, anchor: "middle"),
      Self.text(yTitle, 2, 11, anchor: "start"),
    ])
  }

  // MARK: Parts of drawings

  /// A coordinate with one decimal.
  static func number(_ value: Double) -> String {
    let tenths = (value.isFinite ? value * 10 : 0).rounded()
    let whole = Int(tenths)
    return whole % 10 == 0
      ? "\(whole / 10)" : "\(whole < 0 ? "-" : "")\(abs(whole) / 10).\(abs(whole) % 10)"
  }

  static func line(
    _ kind: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double
  ) -> HTML {
    .element("path", ["class": kind, "d": path([(x1, y1), (x2, y2)])])
  }

  static func path(_ points: [(x: Double, y: Double)]) -> String {
    points.enumerated().map { position, point in
      "\(position == 0 ? "M" : "L")\(number(point.x)) \(number(point.y))"
    }.joined()
  }

  /// - Parameter anchor: which end of the text is at x: `start`, `middle` or `end`.
  static func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String, kind: String? = nil
  ) -> HTML {
    .element(
      "text",
      [
        "class": kind, "x": number(x), "y": number(y),
        "text-anchor": anchor == "start" ? nil : anchor,
      ]
    ) { text }
  }

  static func circle(_ kind: String, _ x: Double, _ y: Double, radius: Double) -> HTML {
    .element(
      "circle", ["class": kind, "cx": number(x), "cy": number(y), "r": number(radius)])
  }
}
