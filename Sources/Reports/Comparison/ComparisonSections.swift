internal import Configuration
internal import Experiments
internal import Recommenders
internal import Runtime
internal import Settings

/// The parts of a report that compare configurations.
enum ComparisonSections {
  /// The tables of `mrdib compare`, and their intervals as a chart.
  static func effects(_ report: ComparisonReport) -> ReportSection {
    ReportSection("comparison", "Comparison on \(report.split == .test ? "test" : "validation")") {
      for warning in report.warnings { HTML.paragraph("warning") { "Note: \(warning)." } }
      for metric in report.metrics { table(metric, report) }
      changes(report)
      HTML.element("ul", ["class": "note"]) {
        for note in report.notes { HTML.element("li") { note } }
      }
    }
  }

  private static func table(_ metric: String, _ report: ComparisonReport) -> HTML {
    HTMLTable(
      HTML("\(report.split.rawValue) \(metric)"),
      columns: [
        .text("configuration"), .number("seeds"), .number("mean ± std"), .number("change"),
        .number("95 % interval"), .number("p t-test"), .number("p Wilcoxon"),
      ],
      rows: report.rows.enumerated().map { position, row in
        .init(
          [
            HTML.foreign(row.markedLabel, atMost: 200), HTML("\(row.seeds.count)"),
            HTML(row.values[metric]?.text ?? "–"),
          ]
            + (row.differences[metric]?.cells
            ?? [position == 0 ? "baseline" : "–", "", "", ""]).map { HTML($0) })
      }
    ).html
  }

  private static func changes(_ report: ComparisonReport) -> HTML {
    let changed = report.rows.dropFirst()
    let legend = report.metrics.enumerated().map {
      ChartFigure.Key($0.element, style: SeriesStyle.of($0.offset), shape: .dot)
    }
    let rows = changed.map { row in
      IntervalChart.Row(
        row.markedLabel,
        report.metrics.enumerated().compactMap { position, metric in
          guard let difference = row.differences[metric], let gain = difference.relativeGain
          else { return nil }
          return .init(
            gain * 100,
            interval: difference.relativeGainInterval.map { ($0.lower * 100)...($0.upper * 100) },
            style: SeriesStyle.of(position))
        })
    }
    guard rows.contains(where: { !$0.marks.isEmpty }) else { return HTML() }
    let chart = IntervalChart(
      xTitle: "change from the baseline, %", rows: Array(rows), reference: 0)
    return ChartFigure(
      "Change from \(report.rows[0].label)", legend: legend,
      drawing: chart.drawing("Change of each configuration from the baseline, with intervals"),
      caption: HTML("Whiskers are 95 % intervals over users and seeds together."), isWide: true
    ).html
  }

  /// How results vary with the seed.
  ///
  /// - Parameter labels: of the groups.
  static func spread(
    _ groups: [ComparedGroup], labels: [String], metrics: [String], split: Split
  ) -> ReportSection? {
    guard groups.contains(where: { $0.runs.count > 1 }) else { return nil }
    return ReportSection("spread", "Spread over seeds") {
      HTML.paragraph("note") {
        "A stroke per run on \(split == .test ? "test" : "validation"), and a dot at their mean."
      }
      for metric in metrics {
        let rows = zip(labels, groups).enumerated().map { position, pair in
          let values = pair.1.runs.compactMap { $0.result.value(metric, split) }
          let style = SeriesStyle.of(position)
          return IntervalChart.Row(
            pair.0,
            values.map { .init($0, style: style, isSingle: true) }
              + (MeanAndDeviation(values).map { [.init($0.mean, style: style)] } ?? []))
        }
        ChartFigure(
          metric,
          drawing: IntervalChart(xTitle: metric, rows: rows)
            .drawing("\(metric) of each run, by configuration"), isWide: true,
          table: HTMLTable(
            HTML("\(split.rawValue) \(metric) by seed"),
            columns: [.text("configuration"), .number("seed"), .number(metric)],
            rows: zip(labels, groups).flatMap { label, group in
              group.runs.map { run in
                .init([
                  HTML.foreign(label, atMost: 200), HTML("\(run.seed)"),
                  HTML(Numbers.metric(run.result.value(metric, split))),
                ])
              }
            })
        ).html
      }
    }
  }

  /// Who gains: the same differences within groups of users and items.
  static func groups(_ report: ComparisonReport) -> ReportSection? {
    guard let groups = report.groups, !groups.entries.isEmpty else { return nil }
    let isAlone = !groups.entries.contains { $0.difference != nil }
    return ReportSection("groups", "Who gains") {
      HTML.paragraph("note") {
        "Within quartiles of users by their training interactions, and of items by theirs: in a"
          + " group of items only held-out items of the group are to be found. p-values are"
          + " corrected over the \(groups.testCount) differences of groups."
      }
      for metric in report.metrics {
        let entries = groups.entries.filter {
          $0.metric == metric && (isAlone || $0.difference != nil)
        }
        if !entries.isEmpty {
          HTMLTable(
            HTML("\(report.split.rawValue) \(metric) by training interactions"),
            columns: [
              .text("group"), .text("configuration"), .number("users"), .number("mean"),
              .number("baseline"), .number("change"), .number("95 % interval"),
              .number("p t-test"), .number("p Wilcoxon"),
            ],
            rows: entries.map { entry in
              .init(
                [
                  HTML(entry.group.name), HTML.foreign(entry.configuration, atMost: 200),
                  HTML(Numbers.count(entry.userCount)), HTML(Numbers.metric(entry.mean)),
                  HTML(Numbers.metric(entry.baselineMean)),
                ] + (entry.difference?.cells ?? ["–", "", "", ""]).map { HTML($0) })
            }
          ).html
        }
      }
    }
  }

  /// The decisive settings in which configurations differ, a column per configuration.
  ///
  /// - Throws: errors with a sentence when the settings of a run cannot be read.
  static func parameters(_ groups: [ComparedGroup], labels: [String]) throws -> ReportSection? {
    let configurations = try groups.compactMap { group in
      try group.runs.first.map { try ComparedRun.configuration(ofRun: $0.path) }
    }
    guard configurations.count == groups.count, let first = configurations.first else { return nil }
    let settings = configurations.map { configuration in
      Dictionary(uniqueKeysWithValues: configuration.decisiveSettings)
    }
    let names = Set(settings.flatMap(\.keys)).subtracting(["seed"]).sorted()
    let different = names.filter { name in Set(settings.map { $0[name] }).count > 1 }
    let common = names.filter { !different.contains($0) }
    return ReportSection("parameters", "Settings") {
      if !different.isEmpty {
        HTMLTable(
          HTML("Settings in which the configurations differ; – where a setting has no effect"),
          columns: [.text("setting")] + labels.map { .text(String($0.prefix(80))) },
          rows: different.map { name in
            .init(
              [HTML.code(name)] + settings.map { $0[name].map { HTML.code($0) } ?? HTML("–") })
          }
        ).html
      }
      HTML.paragraph {
        HTML.element("b") { "Objectives. " }
        "\(objectives(configurations, labels))"
      }
      HTML.details("The \(common.count) settings that all configurations share") {
        HTMLTable(
          HTML("Settings that influence the result and are equal in all configurations"),
          columns: [.text("setting"), .text("value")],
          rows: common.map { .init([HTML.code($0), HTML.code(first.value(of: $0) ?? "")]) }
        ).html
      }
    }
  }

  private static func objectives(
    _ configurations: [RunConfiguration], _ labels: [String]
  ) -> String {
    let sentences = configurations.map(ObjectiveWords.sentence)
    guard Set(sentences).count > 1 else { return sentences.first ?? "" }
    return zip(labels, sentences).prefix(8).map { "\($0): \($1)" }.joined(separator: " ")
  }

  /// Which searches chose settings, on which seeds.
  static func searches(_ searches: [SettingsSearch]) -> ReportSection? {
    guard !searches.isEmpty else { return nil }
    return ReportSection("searches", "What was searched") {
      HTML.paragraph("note") {
        "Results of settings on the seeds that chose them are too good. Such runs are left out, or"
          + " marked with *."
      }
      HTMLTable(
        HTML("Searches among settings by validation"),
        columns: [.text("search"), .text("chose"), .text("on the seeds")],
        rows: searches.map { search in
          .init([
            HTML.code(search.path), HTML(search.text),
            HTML(search.seeds.map { "\($0)" }.joined(separator: ", ")),
          ])
        }
      ).html
    }
  }

  /// Every run with its result, its folder and where it was made.
  static func runs(
    _ groups: [ComparedGroup], labels: [String], metric: String, splits: [Split]
  ) throws -> ReportSection {
    let runs = zip(labels, groups).flatMap { label, group in group.runs.map { (label, $0) } }
    return try ReportSection("runs", "Runs") {
      HTMLTable(
        HTML("All runs; \(metric) at the best epoch"),
        columns: [
          .text("configuration"), .number("seed"), .number("best epoch"), .number("epochs"),
        ]
          + splits.map { .number($0.rawValue) } + [.number("time"), .text("folder")],
        rows: runs.map { label, run in
          .init(
            [
              HTML.foreign(label, atMost: 200), HTML("\(run.seed)"),
              HTML(run.result.bestEpoch.map { "\($0)" } ?? "–"), HTML("\(run.result.epochsRun)"),
            ] + splits.map { HTML(Numbers.metric(run.result.value(metric, $0))) }
              + [
                HTML(run.result.seconds["total"].map { ProgressFormat.duration($0) } ?? "–"),
                HTML.code(run.path),
              ])
        }
      ).html
      try machines(runs.map(\.1))
      HTML.paragraph("note") {
        "Each run's folder holds its settings (config.resolved.yaml) and machine"
          + " (environment.json); mrdib report FOLDER shows them."
      }
    }
  }

  /// The machines and programs of some runs, each combination once.
  private static func machines(_ runs: [ComparedRun]) throws -> HTML {
    var counts: [[String]: Int] = [:]
    for run in runs {
      guard let environment = try RunRecords.environment(of: run.path) else { continue }
      counts[
        [
          environment.host, environment.cpuModel, "\(environment.cpuCores)",
          environment.openBLAS.core, environment.version, environment.gitCommit ?? "–",
        ], default: 0] += 1
    }
    guard !counts.isEmpty else { return HTML() }
    return HTMLTable(
      "Where they were made",
      columns: [
        .text("host"), .text("processor"), .number("cores"), .text("BLAS kernels"),
        .text("mrdib"), .text("commit"), .number("runs"),
      ],
      rows: counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        .map { $0.key + ["\($0.value)"] }
    ).html
  }
}
