import Telemetry
import Testing

@Suite("The text of metrics")
struct MetricsTextTests {
  private func text(_ families: [MetricFamily], _ format: MetricsText) -> String {
    String(decoding: format.encode(families), as: UTF8.self)
  }

  @Test("a counter, a gauge and an info in OpenMetrics")
  func openMetrics() {
    var bytes = MetricFamily("mrdib_sent_bytes", .counter, "Bytes.")
    bytes.add([.init("role", "worker"), .init("direction", "sent")], 1_234_567_890_123)
    var build = MetricFamily("mrdib_build", .info, "The program.")
    build.add([.init("version", "1")], 1)
    let loss = MetricFamily("mrdib_loss", .gauge, "The loss.", -0.125)
    #expect(
      text([bytes, build, loss], .openMetrics) == """
        # HELP mrdib_sent_bytes Bytes.
        # TYPE mrdib_sent_bytes counter
        # UNIT mrdib_sent_bytes bytes
        mrdib_sent_bytes_total{role="worker",direction="sent"} 1234567890123
        # HELP mrdib_build The program.
        # TYPE mrdib_build info
        mrdib_build_info{version="1"} 1
        # HELP mrdib_loss The loss.
        # TYPE mrdib_loss gauge
        mrdib_loss -0.125
        # EOF

        """)
  }

  @Test("the older text names a counter by its sample, and has no units and no end")
  func prometheus() {
    let seconds = MetricFamily("mrdib_cpu_seconds", .counter, "CPU time.", 1.5)
    var build = MetricFamily("mrdib_build", .info, "The program.")
    build.add([], 1)
    #expect(
      text([seconds, build], .prometheus) == """
        # HELP mrdib_cpu_seconds_total CPU time.
        # TYPE mrdib_cpu_seconds_total counter
        mrdib_cpu_seconds_total 1.5
        # HELP mrdib_build_info The program.
        # TYPE mrdib_build_info gauge
        mrdib_build_info 1

        """)
  }

  @Test("the ranges of a histogram add up, and end with +Inf")
  func histogram() {
    var histogram = Histogram(bounds: [0.5, 1])
    for value in [0.25, 0.75, 0.5, 3] { histogram.observe(value) }
    var family = MetricFamily("mrdib_pull_seconds", .histogram, "Pulls.")
    family.add([.init("kind", "pull")], histogram)
    #expect(
      text([family], .prometheus) == """
        # HELP mrdib_pull_seconds Pulls.
        # TYPE mrdib_pull_seconds histogram
        mrdib_pull_seconds_bucket{kind="pull",le="0.5"} 2
        mrdib_pull_seconds_bucket{kind="pull",le="1.0"} 3
        mrdib_pull_seconds_bucket{kind="pull",le="+Inf"} 4
        mrdib_pull_seconds_sum{kind="pull"} 4.5
        mrdib_pull_seconds_count{kind="pull"} 4

        """)
  }

  @Test("values of labels are escaped, and numbers that are none are written as such")
  func escapes() {
    var family = MetricFamily("mrdib_x", .gauge, "A \\ and \"quotes\"\nand a line.")
    family.add([.init("name", "a\"b\\c\nd")], .nan)
    family.add([], .infinity)
    family.add([], -.infinity)
    let lines = text([family], .prometheus).split(separator: "\n")
    #expect(lines[0] == #"# HELP mrdib_x A \\ and "quotes"\nand a line."#)
    #expect(lines[2] == #"mrdib_x{name="a\"b\\c\nd"} NaN"#)
    #expect(lines[3...] == ["mrdib_x +Inf", "mrdib_x -Inf"])
  }

  @Test("a name is listed once, and one without values not at all")
  func joined() {
    var empty = MetricFamily("mrdib_empty", .gauge, "Nothing.")
    let families = [
      MetricFamily("mrdib_a", .gauge, "A.", 1), empty, MetricFamily("mrdib_b", .gauge, "B.", 2),
      MetricFamily("mrdib_a", .gauge, "A.", 3).labelled([.init("role", "x")]),
    ]
    let joined = MetricFamily.joined(families)
    #expect(joined.map(\.name) == ["mrdib_a", "mrdib_b"])
    #expect(joined[0].samples.map(\.labels) == [[], [.init("role", "x")]])
    empty.add([], 1)
    #expect(MetricFamily.joined([empty]).count == 1)
  }

  @Test("a scraper that asks for OpenMetrics gets it, any other the older text")
  func negotiation() {
    let scraper = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"
    #expect(MetricsText(accepting: scraper) == .openMetrics)
    #expect(MetricsText(accepting: "text/html") == .prometheus)
    #expect(MetricsText(accepting: nil) == .prometheus)
    #expect(
      MetricsText.openMetrics.contentType
        == "application/openmetrics-text; version=1.0.0; charset=utf-8")
  }
}
