internal import Recommenders

/// The metrics of the best epoch: a table per split, a row per metric, a column per cut-off.
enum MetricSection {
  static func make(_ records: RunRecords) -> ReportSection? {
    guard let best = records.bestEpoch, !records.metricNames.isEmpty else { return nil }
    return ReportSection("metrics", "Metrics") {
      HTML.paragraph {
        "Means over users at epoch \(best), which validation chose"
          + " (\(records.ending?.rule ?? records.selectionMetric)). Epochs count from 0."
      }
      HTML.element("div", ["class": "pair"]) {
        table("Validation", records.valid, of: records.metricNames)
        table("Test", records.test, of: records.metricNames)
      }
      if records.test.isEmpty {
        HTML.paragraph("note") {
          "There are no test metrics: no user with training interactions has test interactions."
        }
      }
      HTML.details("What the metrics are") {
        HTML.element("ul") {
          for metric in Metric.all
          where records.metricNames.contains(where: { $0.hasPrefix("\(metric.name)@") }) {
            HTML.element("li") {
              HTML.code(metric.name)
              ": \(metric.summary)"
            }
          }
        }
      }
    }
  }

  private static func table(
    _ title: String, _ values: [String: Double], of names: [String]
  ) -> HTML {
    let parts = names.map { name in
      let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
      return (metric: parts[0], cutoff: parts.count > 1 ? parts[1] : "")
    }
    func distinct(_ texts: [String]) -> [String] {
      texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    let cutoffs = distinct(parts.map(\.cutoff))
    return HTMLTable(
      title, columns: [.text("metric")] + cutoffs.map { .number("@\($0)") },
      rows: distinct(parts.map(\.metric)).map { metric in
        [metric] + cutoffs.map { Numbers.metric(values["\(metric)@\($0)"]) }
      }
    ).html
  }
}
