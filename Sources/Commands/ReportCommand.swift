import ArgumentParser
import Datasets
import Experiments
import Files
import Foundation
import Reports
import Runtime

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a report on a run, a sweep or several runs as one HTML file.",
    discussion: """
      The file needs no other file, no script and no network, in light, dark and on paper.

      Of a run: metrics, curves, maps of the modalities before and after training, nearest
      neighbours and recommendations by title, popularity and coverage of what is recommended,
      settings with their sources, machine, and how to make it again. --decompose adds what each
      modality says (minutes on large data), --decomposition what 'decompose --json' printed before.

      Of a sweep, or of several runs and sweeps: the tables of 'compare', spreads over seeds,
      curves, settings, and what was searched on which seeds. Options of 'compare' mean the same
      here.

      The file names users by their ids, with what they took; --without-users leaves them out.

      Examples:
        mrdib report runs/one --out one.html
        mrdib report runs/one --decompose --out one.html
        mrdib report runs/plain runs/gated --out both.html
        mrdib report runs/sweep --out sweep.html
      """)

  @Argument(
    help: "The directory of a run or of a sweep, or several to compare.", completion: .directory)
  var paths: [String]

  @Option(
    help: ArgumentHelp("The file to write; an earlier one is replaced.", valueName: "file"),
    completion: .file())
  var out: String

  @Option(help: "The title of the report (default: what it is on).")
  var title: String?

  @Flag(help: "Of a run: measure what each modality says, before and after training.")
  var decompose = false

  @Option(
    help: ArgumentHelp(
      """
      Of a run: a file with what 'decompose --json' printed; may be given several times \
      (default: none).
      """,
      valueName: "file"), completion: .file())
  var decomposition: [String] = []

  @Flag(help: "Of a run: leave out recommendations to single users.")
  var withoutUsers = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var comparison: ComparisonOptions

  /// Whether several runs are compared, or a single run or sweep is reported on.
  private var isComparison: Bool { paths.count > 1 || comparison.selectsRuns }

  /// Whether a path is a sweep is known from its files only, so this is no part of parsing.
  ///
  /// - Throws: `RuntimeError` for an option that would have no effect.
  private func checkOptions(isOfRun: Bool) throws {
    if isOfRun, !comparison.metrics.isEmpty || comparison.groups || comparison.split != .test {
      throw RuntimeError(
        exitCode: .usage,
        message: "--metric, --split and --groups are for a report on several runs; that on "
          + "'\(paths[0])' has all metrics of both splits, and groups. Leave them out.")
    }
    if !isOfRun, decompose || !decomposition.isEmpty || withoutUsers {
      throw RuntimeError(
        exitCode: .usage,
        message: "--decompose, --decomposition and --without-users are for a report on one run, "
          + "not on a sweep or several: leave them out, or name one run.")
    }
    if !isOfRun, !isComparison, comparison.groups || comparison.split != .test {
      throw RuntimeError(
        exitCode: .usage,
        message: "--groups and --split are for runs that are compared; '\(paths[0])' is a sweep, "
          + "and its report shows what validation chose. Name other runs next to it, or use "
          + "--chosen.")
    }
  }

  func run() throws {
    try reporting {
      let progress = try StageProgress(isQuiet: quiet)
      let (page, problems) = try progress.run { () throws -> (ReportPage, [String]) in
        let (page, problems) = try self.page(progress.report)
        try progress.report("writing", share: nil)
        try AtomicFile.write(Array(page.text.utf8), to: out)
        return (page, problems)
      }
      for problem in problems { StandardError.write("warning: not in the report: \(problem)") }
      StandardOutput.write("the report is in \(out) (\(page.text.utf8.count / 1000) kB)")
    }
  }

  private func page(
    _ progress: (_ stage: String, _ share: Double?) throws -> Void
  ) throws -> (ReportPage, [String]) {
    let first = paths[0]
    let isSweep = ForeignFolder.isSweep(first)
    try checkOptions(isOfRun: !isComparison && !isSweep)
    if !isComparison, !isSweep {
      var request = RunReport.Request(run: first, version: Program.version) {
        ShellWord.quoted($0)
      }
      request.title = title
      request.dataFolder = comparison.trained.data
      request.decompositions = try decomposition.map { try DecompositionReport.read($0) }
      request.decomposes = decompose
      request.showsUsers = !withoutUsers
      let report = try RunReport(request, progress: progress)
      return (report.page, report.problems)
    }
    var request = ComparisonPage.Request(paths: paths, version: Program.version)
    request.title = title
    request.dataFolder = comparison.trained.data
    request.metrics = comparison.metrics
    request.split = comparison.split
    request.byGroup = comparison.groups
    guard isComparison else {
      let report = try ComparisonPage(request, sweep: first, progress: progress)
      return (report.page, report.problems)
    }
    let report = try ComparisonPage(
      request, comparing: comparison.compared(paths), progress: progress)
    return (report.page, report.problems)
  }
}
