import ArgumentParser
import DataPreparation
import Datasets
import Foundation
import Runtime

struct DataSubsetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subset",
    abstract: "Take a sample of the users, of the items or of the time of a data set.",
    discussion: """
      Samples of one seed are nested: a smaller one is contained in every larger one. Labels of \
      training, validation and test stay.

        mrdib data subset shop --out shop-tenth --users 0.1
        mrdib data subset shop --out shop-2024 --from 2024-01-01 --to 2025-01-01
      """)

  @OptionGroup var options: DerivedFolderOptions

  @Option(
    help: ArgumentHelp(
      "How many users to take: a number, or a share such as 0.1 (default: all).", valueName: "n"))
  var users: String?

  @Option(
    help: ArgumentHelp(
      "How many items to take: a number, or a share such as 0.1 (default: all).", valueName: "n"))
  var items: String?

  @Option(
    help: ArgumentHelp(
      "Take interactions from this time on: a date or seconds since 1970 (default: the first).",
      valueName: "time"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Take interactions before this time (default: to the last).", valueName: "time"))
  var to: String?

  @Flag(help: "Keep all items with features, also those without interactions in the subset.")
  var keepColdItems = false

  func validate() throws {
    guard users != nil || items != nil || from != nil || to != nil else {
      throw ValidationError("Choose what to take with --users, --items, --from or --to.")
    }
    _ = try requested(subset)
  }

  func run() throws {
    try reporting {
      try options.run { progress in
        try subset().run(
          folder: options.folder, to: options.out, replacesExisting: options.overwrite,
          report: progress.report)
      } summary: {
        ($0.lines, $0.isSplit)
      }
    }
  }

  private func subset() throws(SplitRequestError) -> DataSubset {
    var subset = DataSubset(seed: UInt64(options.seed))
    if let users { subset.users = try SampleSize(parsing: users, option: "--users") }
    if let items { subset.items = try SampleSize(parsing: items, option: "--items") }
    if let from { subset.from = try TimePoint.seconds(parsing: from, option: "--from") }
    if let to { subset.to = try TimePoint.seconds(parsing: to, option: "--to") }
    if let from = subset.from, let to = subset.to, from >= to {
      throw SplitRequestError("--from is not before --to")
    }
    subset.keepsColdItems = keepColdItems
    return subset
  }
}
