internal import Experiments
internal import Runtime

/// The course of several runs in one chart each: lines of one configuration have one colour.
enum ComparedCurves {
  /// The most runs that are drawn.
  static let mostRuns = 60

  /// - Parameters:
  ///   - labels: of the groups.
  ///   - metric: on validation.
  /// - Throws: errors with a sentence when a run's record is damaged.
  static func make(
    _ groups: [ComparedGroup], labels: [String], metric: String,
    progress: (String, Double?) throws -> Void
  ) throws -> ReportSection? {
    let runs = groups.enumerated().flatMap { position, group in
      group.runs.map { (group: position, run: $0) }
    }
    var courses: [(group: Int, epochs: [EpochRecord])] = []
    for (position, run) in runs.prefix(mostRuns).enumerated() {
      try progress("reading the runs", Double(position) / Double(runs.count))
      let epochs = try EpochRecord.read(RunDirectory(existing: run.run.path))
      if !epochs.isEmpty { courses.append((run.group, epochs)) }
    }
    guard !courses.isEmpty else { return nil }
    func chart(_ title: String, _ value: (EpochRecord) -> Double?) -> HTML {
      let series = courses.compactMap { course -> LineChart.Series? in
        let points = course.epochs.compactMap { epoch in
          value(epoch).map { LineChart.Point(Double(epoch.epoch), $0) }
        }
        guard !points.isEmpty else { return nil }
        return LineChart.Series(
          labels[course.group], style: SeriesStyle.of(course.group), points: points)
      }
      guard !series.isEmpty else { return HTML() }
      let chart = LineChart(xTitle: "epoch", yTitle: "", series: series, size: .wide)
      return HTML.element("div", ["class": "thin"]) {
        ChartFigure(
          title,
          drawing: chart.drawing("\(title) over epochs, a line per run, of \(series.count) runs"),
          isWide: true
        ).html
      }
    }
    return ReportSection("curves", "Training curves") {
      HTML.paragraph("note") {
        "A line per run; runs of one configuration have one colour."
          + (runs.count > mostRuns ? " The first \(mostRuns) of \(runs.count) runs are shown." : "")
          + (groups.count > SeriesStyle.count
            ? " Configurations after the first \(SeriesStyle.count - 1) are grey." : "")
      }
      ChartFigure.list(
        of: labels.prefix(SeriesStyle.count).enumerated().map {
          .init($0.element, style: SeriesStyle.of($0.offset))
        })
      chart("\(metric) on validation") { $0.valid[metric] }
      chart("total loss") { $0.loss["total"] }
      HTML.paragraph("note") {
        "Losses of different models or objectives have different terms and cannot be compared."
      }
    }
  }
}
