/// Points on a plane, in classes, some of them numbered.
package struct PointMap: Sendable {
  private let points: [SIMD2<Double>]
  private let classes: [Int]
  /// The numbers of some points, by their position.
  private let numbered: [Int: String]
  private let axisTitles: [String]

  /// - Parameters:
  ///   - points: both axes have the same scale.
  ///   - classes: for each point, its style, see ``StyleSheet``.
  ///   - numbered: names that are drawn over some points.
  ///   - axisTitles: of the two axes.
  /// - Precondition: as many classes as points.
  package init(
    points: [SIMD2<Double>], classes: [Int], numbered: [Int: String], axisTitles: [String]
  ) {
    precondition(points.count == classes.count && axisTitles.count == 2)
    self.points = points
    self.classes = classes
    self.numbered = numbered
    self.axisTitles = axisTitles
  }

  private static let side = 340.0
  private static let margin = 24.0

  /// - Parameter description: what the map shows, for readers who cannot see it.
  package func drawing(_ description: String) -> HTML {
    // A few points far away would leave the others in a blot: these stand at the edge.
    let reach = Self.reach(points)
    let inner = Self.side - 2 * Self.margin
    func place(_ point: SIMD2<Double>) -> (x: Double, y: Double) {
      let unit = (point / reach).clamped(
        lowerBound: SIMD2(repeating: -1), upperBound: SIMD2(repeating: 1))
      return (
        Self.margin + (unit.x + 1) / 2 * inner, Self.margin + (1 - unit.y) / 2 * inner
      )
    }
    let frame = PlotFrame(
      width: Self.side, height: Self.side, x: AxisScale(covering: [0, 1]),
      y: AxisScale(covering: [0, 1]))
    let (start, end, middle) = (Self.margin, Self.side - Self.margin, Self.side / 2)
    return frame.drawing(description) {
      PlotFrame.line("rule", start, middle, end, middle)
      PlotFrame.line("rule", middle, start, middle, end)
      for style in Set(classes).sorted() {
        HTML.element(
          "path",
          [
            "class": "cloud s\(style)",
            "d": points.indices.filter { classes[$0] == style }.map { index in
              let (x, y) = place(points[index])
              return "M\(PlotFrame.number(x)) \(PlotFrame.number(y))h0"
            }.joined(),
          ])
      }
      for (index, name) in numbered.sorted(by: { $0.key < $1.key }) where index < points.count {
        let (x, y) = place(points[index])
        PlotFrame.text(name, x, y + 4, anchor: "middle", kind: "strong halo")
      }
      PlotFrame.text(axisTitles[0], end, Self.side - 6, anchor: "end")
      PlotFrame.text(axisTitles[1], start, 14, anchor: "start")
    }
  }

  /// The 99.5th percentile of the larger coordinates' magnitudes, a little more than that.
  private static func reach(_ points: [SIMD2<Double>]) -> Double {
    let sizes = points.map { max(abs($0.x), abs($0.y)) }.filter(\.isFinite).sorted()
    guard let largest = sizes.last, largest > 0 else { return 1 }
    return max(sizes[(sizes.count - 1) * 995 / 1000], largest * 1e-6) * 1.06
  }
}
