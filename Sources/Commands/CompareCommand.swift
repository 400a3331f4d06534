import ArgumentParser
import Experiments
import Runtime

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs: mean and spread over seeds, and significance over users.",
    discussion: """
      Runs that differ only in their seed are one configuration. Each is compared with the baseline
      by its relative change with a 95 % interval, from resamples of users and seeds together, and
      by a two-sided paired t-test and a two-sided Wilcoxon signed-rank test over the users, whose
      values are averaged over the seeds that both have. p-values are corrected by Holm's method
      over all tables. The metrics per user are computed from the saved vectors and cached in the
      model's folder as per_user.tsv.

      Seeds on which a sweep or 'tune' chose settings are left out, because these settings look too
      good on them: of --chosen, of runs in the search's folder, and of runs elsewhere that have the
      settings which a search of --search chose. If nothing else is left, the comparison is refused.

      --groups shows who gains: quartiles of users by their training interactions, and of items by
      theirs, where only the held-out items of a group are to be found; items without any are a
      group of their own.

      A warning lists the settings in which configurations differ besides what is compared: the \
      model, else the objective, else the only setting that differs; and what a sweep varies. A \
      second one says that settings were not searched alike.

        mrdib compare runs/plain runs/mrdib --metric recall@20
        mrdib compare runs/one --groups
        mrdib compare sweeps/vbpr --chosen --csv > comparison.csv
      """)

  @Argument(help: "Directories of runs, or of sweeps.", completion: .directory)
  var paths: [String]

  @OptionGroup var comparison: ComparisonOptions

  @OptionGroup var table: TableOptions

  func run() throws {
    try reporting {
      let compared = try comparison.compared(paths)
      for warning in compared.warnings { StandardError.write("warning: \(warning)") }
      let report = try compared.report(
        metrics: comparison.metrics, split: comparison.split, byGroup: comparison.groups,
        dataFolder: comparison.trained.data)
      try table.write(report, csv: report.csv, lines: report.lines)
    }
  }
}
