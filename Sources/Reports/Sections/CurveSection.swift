internal import Recommenders

/// What was measured in each epoch: metrics, the loss and its terms, and what the objective records
/// of itself.
enum CurveSection {
  /// The most rows of a table behind curves.
  private static let mostRows = 60

  static func make(_ records: RunRecords) -> [ReportSection] {
    guard !records.epochs.isEmpty else { return [] }
    let losses = Set(records.epochs.flatMap(\.loss.keys))
    let statistics = Set(records.epochs.flatMap(\.statistics.keys))
    var sections = [
      ReportSection("curves", "Training curves") {
        metrics(records)
        HTML.element("h3") { "Loss and its terms" }
        HTML.paragraph("note") {
          "Means over the steps of an epoch. The total has all terms with their weights; the terms"
            + " are shown before their weights."
        }
        panels(losses, records, \.loss)
      }
    ]
    if !statistics.isEmpty {
      sections.append(
        ReportSection("gauges", "What the objective records of itself") {
          HTML.paragraph("note") { "Means over the steps of an epoch." }
          panels(statistics, records, \.statistics)
        })
    }
    return sections
  }

  // MARK: Metrics

  private static func metrics(_ records: RunRecords) -> HTML {
    let evaluated = records.epochs.filter { !$0.valid.isEmpty }
    guard !evaluated.isEmpty else {
      return .paragraph("note") { "No epoch was evaluated yet." }
    }
    let cutoff = records.selectionMetric.split(separator: "@").last.map(String.init) ?? "20"
    let shown = ([records.selectionMetric] + Metric.headline.map { "\($0.name)@\(cutoff)" })
      .reduce(into: [String]()) { names, name in
        if !names.contains(name), evaluated[0].valid[name] != nil { names.append(name) }
      }
    let legend = [
      ChartFigure.Key("validation", style: 0), ChartFigure.Key("test", style: 1),
    ]
    return HTML([
      ChartFigure.list(of: legend),
      HTML.element("div", ["class": "grid"]) {
        for name in shown {
          let chart = LineChart(
            xTitle: "epoch", yTitle: "",
            series: [
              line("validation", 0, evaluated) { $0.valid[name] },
              line("test", 1, evaluated) { $0.test[name] },
            ], mark: mark(records))
          ChartFigure(
            name,
            drawing: chart.drawing(
              "\(name) on validation and test over \(evaluated.count) epochs"
                + "; best \(records.bestEpoch.map { "epoch \($0)" } ?? "epoch not known")"),
            caption: name == records.selectionMetric
              ? HTML("Selects the best epoch, on validation.") : HTML()
          ).html
        }
      },
      HTML.details("Numbers") {
        table(
          "Metrics by epoch", columns: shown.flatMap { ["valid \($0)", "test \($0)"] }, evaluated,
          records
        ) { epoch in shown.flatMap { [epoch.valid[$0], epoch.test[$0]] } }
      },
    ])
  }

  // MARK: Terms

  private static func panels(
    _ names: Set<String>, _ records: RunRecords, _ values: KeyPath<EpochRecord, [String: Double]>
  ) -> HTML {
    let panels = ObjectiveWords.panels(names)
    return HTML([
      HTML.element("div", ["class": "grid"]) {
        for panel in panels {
          let series = panel.lines.enumerated().map { position, line in
            self.line(line.0, SeriesStyle.of(position), records.epochs) {
              $0[keyPath: values][line.1]
            }
          }
          let chart = LineChart(
            xTitle: "epoch", yTitle: "", series: series, mark: mark(records))
          ChartFigure(
            panel.title, legend: chart.legend,
            drawing: chart.drawing(
              "\(panel.title) over epochs: \(panel.lines.map(\.0).joined(separator: ", "))"),
            caption: HTML(ObjectiveWords.meaning(panel.title) ?? "")
          ).html
        }
      },
      HTML.details("Numbers") {
        let columns = panels.flatMap(\.lines).map(\.1)
        table("By epoch", columns: columns, records.epochs, records) { epoch in
          columns.map { epoch[keyPath: values][$0] }
        }
      },
    ])
  }

  // MARK: Parts

  private static func line(
    _ name: String, _ style: Int, _ epochs: [EpochRecord], _ value: (EpochRecord) -> Double?
  ) -> LineChart.Series {
    LineChart.Series(
      name, style: style,
      points: epochs.map { LineChart.Point(Double($0.epoch), value($0) ?? .nan) })
  }

  private static func mark(_ records: RunRecords) -> (x: Double, name: String)? {
    records.bestEpoch.map { (Double($0), "best: \($0)") }
  }

  private static func table(
    _ caption: String, columns: [String], _ epochs: [EpochRecord], _ records: RunRecords,
    _ values: (EpochRecord) -> [Double?]
  ) -> HTML {
    let every = (epochs.count + mostRows - 1) / mostRows
    let shown = epochs.enumerated().filter { position, epoch in
      position % every == 0 || position == epochs.count - 1 || epoch.epoch == records.bestEpoch
    }
    return HTMLTable(
      HTML(caption + (every > 1 ? "; one of \(every) is shown" : "")),
      columns: [.number("epoch")] + columns.map { .number($0) },
      rows: shown.map { _, epoch in
        .init(
          [HTML("\(epoch.epoch)")] + values(epoch).map { HTML(Numbers.short($0)) },
          isEmphasized: epoch.epoch == records.bestEpoch)
      }
    ).html
  }
}
