internal import Experiments
internal import Runtime

/// The parts of a report that only a sweep has.
enum SweepSections {
  /// The settings with their means over seeds, and what validation chose.
  static func results(_ report: SweepReport) -> ReportSection {
    let names = report.rows.map(\.coordinates).names
    let isSearch = !report.searchSeeds.isEmpty
    // The test metrics of a single row stand below the table.
    let columns = report.rows.count { !$0.test.isEmpty } > 1 || !isSearch ? report.metrics : []
    let mark = isSearch ? " *" : ""
    return ReportSection("results", "Settings and results") {
      HTMLTable(
        HTML("Means and standard deviations over seeds; what validation chose is bold"),
        columns: names.map { .text($0) }
          + [.number("seeds"), .number("valid \(report.selectionMetric)")]
          + columns.map { .number("test \($0)\(mark)") },
        rows: report.rows.map { row in
          .init(
            names.map { HTML.foreign(row.coordinates.value(of: $0) ?? "") }
              + [HTML("\(row.seeds.count)"), HTML(row.valid?.text ?? "–")]
              + columns.map { HTML(row.test[$0]?.text ?? "–") },
            isEmphasized: row.coordinates == report.chosenByValidation?.coordinates)
        }
      ).html
      verdict(report, mark)
      if !report.failures.isEmpty {
        HTMLTable(
          HTML("Runs that failed"), columns: [.text("settings"), .text("reason")],
          rows: report.failures.map {
            .init([
              HTML.foreign($0.coordinates.text, atMost: 200),
              HTML.foreign($0.message, atMost: 400),
            ])
          }
        ).html
      }
    }
  }

  private static func verdict(_ report: SweepReport, _ mark: String) -> HTML {
    guard let chosen = report.chosenByValidation, let valid = chosen.valid else {
      return .paragraph("note") {
        "No settings finished with all their seeds, so none is chosen."
      }
    }
    func label(_ coordinates: [Coordinate]) -> String {
      coordinates.isEmpty ? "the only settings" : coordinates.text
    }
    return HTML([
      .paragraph {
        HTML.element("b") { "Chosen by validation" }
        ", by the mean of \(report.selectionMetric): \(label(chosen.coordinates)), valid"
          + " \(valid.text)"
          + report.metrics.compactMap { name in
            chosen.test[name].map { ", test \(name) \($0.text)\(mark)" }
          }.joined() + "."
      },
      report.chosenByTest.map { run in
        HTML.paragraph("note") {
          "For comparison only: MMRec’s rule, the highest test \(report.selectionMetric) of a"
            + " single run, which is no fair estimate, would report \(label(run.coordinates))"
            + report.metrics.compactMap { name in
              run.test[name].map { ", test \(name) \(Numbers.metric($0))" }
            }.joined() + "."
        }
      } ?? HTML(),
      mark.isEmpty
        ? HTML()
        : .paragraph("note") {
          "* with the seeds that chose the settings, so too good: report these settings with other"
            + " seeds."
        },
    ])
  }

  /// What `mrdib tune` tried and chose, each setting with the longest of its runs.
  static func tuning(_ record: TuningRecord, _ runs: [SweepRun]) -> ReportSection {
    let names = record.tried.map(\.coordinates.acrossSeeds).names
    let metric = runs.first?.selectionMetric ?? "recall@20"
    return ReportSection("search", "What mrdib tune tried") {
      HTML.paragraph {
        "\(ProgressFormat.count(record.tried.count, "setting")) were tried on the seeds"
          + " \(record.seeds.map { "\($0)" }.joined(separator: ", ")); settings that were behind"
          + " were trained no longer. Chosen: "
        HTML.element("b") {
          record.chosen.coordinates.isEmpty ? "the defaults" : record.chosen.coordinates.text
        }
        ". Test metrics on these seeds would be too good, so none are shown."
      }
      HTMLTable(
        HTML("Settings that were tried, the chosen one bold"),
        columns: names.map { .text($0) }
          + [.number("seeds"), .number("epochs"), .number("valid \(metric)")],
        rows: record.tried.map { tried in
          let own = runs.filter { $0.repetitionDigest == tried.digest }
          return .init(
            names.map { HTML.foreign(tried.coordinates.value(of: $0) ?? "default") }
              + [
                HTML("\(own.count)"),
                HTML(own.compactMap { $0.result?.epochsRun }.max().map { "\($0)" } ?? "–"),
                HTML(
                  MeanAndDeviation(own.compactMap { $0.result?.value(metric, .valid) })?.text
                    ?? "–"),
              ], isEmphasized: tried.digest == record.chosen.digest)
        }
      ).html
    }
  }
}
