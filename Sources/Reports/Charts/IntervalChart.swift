/// Values with intervals, one row each, over a common axis.
package struct IntervalChart: Sendable {
  package struct Mark: Sendable {
    let value: Double
    /// Nil for a value without an interval.
    let interval: ClosedRange<Double>?
    /// See ``StyleSheet``.
    let style: Int
    /// Whether it is one of the values that a mean is of.
    let isSingle: Bool

    package init(
      _ value: Double, interval: ClosedRange<Double>? = nil, style: Int = 0, isSingle: Bool = false
    ) {
      (self.value, self.interval, self.style, self.isSingle) = (value, interval, style, isSingle)
    }
  }

  package struct Row: Sendable {
    let label: String
    let marks: [Mark]

    package init(_ label: String, _ marks: [Mark]) { (self.label, self.marks) = (label, marks) }
  }

  private let xTitle: String
  private let rows: [Row]
  private let reference: Double?

  private static let labelWidth = 250.0
  private static let lineHeight = 15.0
  /// More characters would reach into the chart.
  private static let longestLabel = 36

  /// - Parameter reference: a value at which a vertical line is drawn, such as no difference.
  package init(xTitle: String, rows: [Row], reference: Double? = nil) {
    (self.xTitle, self.rows, self.reference) = (xTitle, rows, reference)
  }

  /// - Parameter description: what the chart shows, for readers who cannot see it.
  package func drawing(_ description: String) -> HTML {
    let values = rows.flatMap(\.marks).flatMap { mark in
      [mark.value] + (mark.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
    }
    let heights = rows.map { row in
      Self.lineHeight * Double(max(1, row.marks.contains(where: \.isSingle) ? 1 : row.marks.count))
        + 10
    }
    let bottom = 36.0
    let frame = PlotFrame(
      width: 720, height: heights.reduce(8 + bottom, +), left: Self.labelWidth, right: 26, top: 8,
      bottom: bottom,
      x: AxisScale(covering: values + (reference.map { [$0] } ?? []), about: 6),
      y: AxisScale(covering: [0, 1]))
    var top = frame.top
    var drawn: [HTML] = []
    for (row, height) in zip(rows, heights) {
      drawn.append(Self.row(row, top: top, height: height, in: frame))
      top += height
    }
    return frame.drawing(description) {
      HTML(
        frame.x.ticks.map { tick in
          let x = frame.horizontal(tick)
          return HTML([
            PlotFrame.line("rule", x, frame.top, x, frame.height - bottom),
            PlotFrame.text(
              frame.x.label(tick), x, frame.height - bottom + 16, anchor: "middle"),
          ])
        })
      if let reference {
        PlotFrame.line(
          "axis", frame.horizontal(reference), frame.top, frame.horizontal(reference),
          frame.height - bottom)
      }
      PlotFrame.text(
        xTitle, (frame.left + frame.width - frame.right) / 2, frame.height - 4, anchor: "middle")
      drawn
    }
  }

  private static func row(
    _ row: Row, top: Double, height: Double, in frame: PlotFrame
  ) -> HTML {
    let middle = top + height / 2
    let isOneLine = row.marks.contains(where: \.isSingle)
    let first = middle - lineHeight * Double(isOneLine ? 0 : row.marks.count - 1) / 2
    return HTML(
      [
        PlotFrame.text(
          shortened(row.label), frame.left - 12, middle + 4, anchor: "end", kind: "label")
      ]
        + row.marks.enumerated().map { position, mark in
          let y = isOneLine ? middle : first + lineHeight * Double(position)
          let x = frame.horizontal(mark.value)
          var parts: [HTML] = []
          if let interval = mark.interval {
            let ends = [interval.lowerBound, interval.upperBound].map(frame.horizontal)
            parts.append(PlotFrame.line("whisker s\(mark.style)", ends[0], y, ends[1], y))
          }
          parts.append(
            mark.isSingle
              ? PlotFrame.line("whisker s\(mark.style)", x, y - 5, x, y + 5)
              : PlotFrame.circle("point f\(mark.style)", x, y, radius: 4))
          return HTML(parts)
        })
  }

  /// A label without its middle if it is too long: settings often differ only at its end.
  private static func shortened(_ label: String) -> String {
    guard label.count > longestLabel else { return label }
    return "\(label.prefix(longestLabel / 2))…\(label.suffix(longestLabel / 2 - 1))"
  }
}
