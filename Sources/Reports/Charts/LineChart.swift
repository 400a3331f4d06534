/// Lines over a common axis, such as a metric over epochs.
package struct LineChart: Sendable {
  package struct Point: Sendable, Equatable {
    package let x: Double
    package let y: Double

    package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  package struct Series: Sendable {
    let name: String
    /// See ``StyleSheet``.
    let style: Int
    /// By x, ascending. Where y is not finite, the line is interrupted.
    let points: [Point]

    package init(_ name: String, style: Int, points: [Point]) {
      (self.name, self.style, self.points) = (name, style, points)
    }
  }

  package enum Size: Sendable {
    /// One of several next to each other.
    case panel
    case wide
  }

  private let xTitle: String
  private let yTitle: String
  private let series: [Series]
  /// A vertical line with its name.
  private let mark: (x: Double, name: String)?
  private let size: Size
  private let isWhole: Bool

  /// The most points of a line: more cannot be seen.
  private static let mostPoints = 500

  /// - Parameters:
  ///   - mark: where a vertical line is, and its name.
  ///   - isWhole: whether x counts something.
  package init(
    xTitle: String, yTitle: String, series: [Series], mark: (x: Double, name: String)? = nil,
    size: Size = .panel, isWhole: Bool = true
  ) {
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series.map { line in
      Series(line.name, style: line.style, points: Self.thinned(line.points))
    }
    self.mark = mark
    self.size = size
    self.isWhole = isWhole
  }

  /// Every k-th point and the last one, so that there are at most ``mostPoints``.
  private static func thinned(_ points: [Point]) -> [Point] {
    let every = (points.count + mostPoints - 1) / mostPoints
    guard every > 1 else { return points }
    return points.enumerated().filter { $0.offset % every == 0 || $0.offset == points.count - 1 }
      .map(\.element)
  }

  /// - Parameter description: what the chart shows, for readers who cannot see it.
  package func drawing(_ description: String) -> HTML {
    let points = series.flatMap(\.points)
    let isWide = size == .wide
    let frame = PlotFrame(
      width: isWide ? 720 : 320, height: isWide ? 330 : 200,
      x: AxisScale(
        covering: points.map(\.x), about: isWide ? 8 : 4, isWhole: isWhole, isTight: true),
      y: AxisScale(covering: points.map(\.y), about: isWide ? 6 : 4))
    return frame.drawing(description) {
      frame.axes(xTitle: xTitle, yTitle: yTitle)
      if let mark { Self.rule(at: mark.x, in: frame) }
      for line in series { Self.curve(line, in: frame) }
      if let mark { Self.label(mark, in: frame) }
    }
  }

  private static func rule(at value: Double, in frame: PlotFrame) -> HTML {
    let x = frame.horizontal(value)
    return PlotFrame.line("mark", x, frame.top, x, frame.height - frame.bottom)
  }

  private static func label(_ mark: (x: Double, name: String), in frame: PlotFrame) -> HTML {
    let isLeft = frame.x.position(mark.x) < 0.5
    return PlotFrame.text(
      mark.name, frame.horizontal(mark.x) + (isLeft ? 4 : -4), frame.height - frame.bottom - 5,
      anchor: isLeft ? "start" : "end", kind: "halo")
  }

  private static func curve(_ series: Series, in frame: PlotFrame) -> HTML {
    HTML(
      series.points.split { !$0.y.isFinite }.map { part in
        let places = part.map { (frame.horizontal($0.x), frame.vertical($0.y)) }
        guard places.count > 1 else {
          return PlotFrame.circle("point f\(series.style)", places[0].0, places[0].1, radius: 2.5)
        }
        return HTML.element(
          "path", ["class": "curve s\(series.style)", "d": PlotFrame.path(places)])
      })
  }

  /// What the series' lines look like.
  package var legend: [ChartFigure.Key] {
    series.map { ChartFigure.Key($0.name, style: $0.style) }
  }
}
