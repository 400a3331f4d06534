import Foundation
import Reports
import Testing

@Suite struct ChartTests {
  @Test(
    "ticks are round, cover the values and can be distinguished",
    arguments: [
      [0.02, 0.341], [-3.2, 1.1], [5, 5], [0, 0], [1e-7, 3e-7], [123_456_789, 987_654_321],
      [0.26, 0.2701], [.nan, 2, .infinity, 3], [],
    ] as [[Double]])
  func ticks(values: [Double]) {
    let scale = AxisScale(covering: values)
    let finite = values.filter(\.isFinite)
    #expect(scale.upper > scale.lower)
    #expect(finite.allSatisfy { (scale.lower...scale.upper).contains($0) })
    #expect((2...12).contains(scale.ticks.count), "\(scale.ticks)")
    #expect(Set(scale.ticks.map(scale.label)).count == scale.ticks.count, "\(scale)")
  }

  @Test("axes of epochs have whole ticks and end at the epochs")
  func wholeTicks() {
    for last in [1, 3, 7, 40, 999] {
      let scale = AxisScale(covering: [0, Double(last)], isWhole: true, isTight: true)
      #expect(scale.ticks.allSatisfy { $0 == $0.rounded() })
      #expect(scale.lower == 0 && scale.upper == Double(last))
    }
  }

  @Test("a line ends where a value is missing, and a lone value is a point")
  func interruptedLine() {
    let values = [1, 2, .nan, 4, .nan, 6, 7]
    let chart = LineChart(
      xTitle: "epoch", yTitle: "",
      series: [
        .init(
          "a", style: 0, points: values.enumerated().map { .init(Double($0.offset), $0.element) })
      ])
    let markup = chart.drawing("lines").markup
    #expect(markup.ranges(of: "class=\"curve s0\"").count == 2)
    #expect(markup.ranges(of: "<circle").count == 1)
    #expect(!markup.contains("nan"))
  }

  @Test("charts of many and of no values are bounded and drawn")
  func bounded() {
    let many = (0..<100_000).map { LineChart.Point(Double($0), sin(Double($0))) }
    let chart = LineChart(
      xTitle: "", yTitle: "", series: [.init("a", style: 0, points: many)])
    #expect(chart.drawing("many").markup.utf8.count < 20_000)
    let none = LineChart(xTitle: "", yTitle: "", series: [])
    #expect(none.drawing("none").markup.hasSuffix("</svg>"))
    let map = PointMap(
      points: [SIMD2(1, 0), SIMD2(-1e9, 2)], classes: [0, 1], numbered: [0: "1", 7: "8"],
      axisTitles: ["x", "y"])
    #expect(map.drawing("map").markup.contains(">1</text>"))
  }

  @Test("an interval chart draws each value and interval")
  func intervals() {
    let chart = IntervalChart(
      xTitle: "nats",
      rows: [
        .init("only text", [.init(0.2, interval: 0.1...0.3), .init(-0.1, style: 1)]),
        .init("a label that is far too long to stand next to a chart", []),
      ], reference: 0)
    let markup = chart.drawing("intervals").markup
    #expect(markup.ranges(of: "<circle").count == 2)
    #expect(markup.ranges(of: "class=\"whisker").count == 1)
    #expect(markup.contains("a label that is fa…d next to a chart"))
  }
}
