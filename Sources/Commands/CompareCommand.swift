import ArgumentParser
import Experiments
import Runtime

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs: mean and spread over seeds, and significance over users.",
    discussion: """
      Runs that differ only in their seed are one configuration. Each is compared with the baseline
      by a two-sided paired t-test and a two-sided Wilcoxon signed-rank test over the users, whose
      values are averaged over the seeds that both have. The metrics per user are computed from the
      saved vectors and cached in the model's folder as per_user.tsv.

      A warning lists the settings in which configurations differ besides what is compared: the \
      model, else the objective, else the only setting that differs; and what a sweep varies.
      """)

  @Argument(help: "Directories of runs, or of sweeps.")
  var paths: [String]

  @Option(
    help: ArgumentHelp(
      "The run or sweep whose first configuration is the baseline (default: the first path).",
      valueName: "folder"))
  var baseline: String?

  @Option(
    name: .customLong("metric"),
    help: "A metric (default: recall@20 and ndcg@20); may be given several times.")
  var metrics: [String] = []

  @Option(help: "test or valid.")
  var split = Split.test

  @Flag(help: "Use only the settings of a sweep that validation chooses.")
  var chosen = false

  @OptionGroup var trained: TrainedDataOptions

  @OptionGroup var table: TableOptions

  func run() throws {
    try reporting {
      let ordered = (baseline.map { [$0] } ?? []) + paths.filter { $0 != baseline }
      let groups = try ComparedGroup.groups(in: ordered, chosenOnly: chosen)
      let warnings = try ComparedSettings(groups).warnings
      for warning in warnings { StandardError.write("warning: \(warning)") }
      let report = try ComparisonReport(groups, metrics: metrics, split: split, warnings: warnings)
      { try PerUserMetrics.load(run: $0.path, dataFolder: trained.data) }
      try table.write(report, csv: report.csv, lines: report.lines)
    }
  }
}

extension Split: ExpressibleByArgument {}
