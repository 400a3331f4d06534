import ArgumentParser
import Experiments
import Runtime

/// Which of several runs are compared, with what, and by what.
struct ComparisonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The run or sweep whose first configuration is the baseline (default: the first path).",
      valueName: "folder"), completion: .directory)
  var baseline: String?

  @Option(
    name: .customLong("metric"),
    help: """
      A metric to compare by (default: recall@20 and ndcg@20; in the report of a sweep its \
      selection_metric and NDCG at the same cutoff); may be given several times.
      """)
  var metrics: [String] = []

  @Option(help: "The split to compare on: test or valid.")
  var split = Split.test

  @Flag(help: "Compare only the settings of a sweep that validation chooses.")
  var chosen = false

  @Flag(help: "Also compare within groups of users by activity and of items by popularity.")
  var groups = false

  @OptionGroup var search: SearchOptions

  @OptionGroup var trained: TrainedDataOptions

  /// Whether an option is given that only a comparison has.
  var selectsRuns: Bool { chosen || baseline != nil }

  /// The runs of some folders, grouped into configurations.
  ///
  /// - Throws: ``RuntimeError`` if nothing is left to compare, or a search cannot be used; errors
  ///   with a sentence when a record cannot be read.
  func compared(_ paths: [String]) throws -> ComparedRuns {
    try ComparedRuns(
      in: paths, baseline: baseline, chosenOnly: chosen, searches: search.searches(),
      includesSearchSeeds: search.includeSearchSeeds)
  }
}

extension Split: ExpressibleByArgument {}
