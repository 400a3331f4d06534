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
    help: "A metric, such as recall@20 (the default, with ndcg@20); may be given several times.")
  var metrics: [String] = []

  @Option(help: "test or valid.")
  var split = Split.test

  @Flag(help: "Use only the settings of a sweep that validation chooses.")
  var chosen = false

  @Option(
    help: ArgumentHelp(
      "The data set's folder, if it was moved after training.", valueName: "folder"))
  var data: String?

  @OptionGroup var table: TableOptions

  func run() throws {
    try reporting {
      let ordered = (baseline.map { [$0] } ?? []) + paths.filter { $0 != baseline }
      let report = try ComparisonReport(
        ComparedGroup.groups(in: ordered, chosenOnly: chosen), metrics: metrics, split: split
      ) { try PerUserMetrics.load(run: $0.path, dataFolder: data) }
      try table.write(report, csv: report.csv, lines: report.lines)
    }
  }
}

extension Split: ExpressibleByArgument {}
