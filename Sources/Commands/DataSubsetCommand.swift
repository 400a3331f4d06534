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
      """)

  @Argument(help: "The data set's folder.")
  var folder: String

  @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"))
  var out: String

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

  @Option(help: "The seed of the samples; part of the result.")
  var seed = 999

  @Flag(help: "Keep all items with features, also those without interactions in the subset.")
  var keepColdItems = false

  @Flag(help: "Replace the folder if it has files.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  func validate() throws {
    guard seed >= 0 else {
      throw ValidationError("--seed is \(seed); expected a whole number of at least 0.")
    }
    guard users != nil || items != nil || from != nil || to != nil else {
      throw ValidationError("Choose what to take with --users, --items, --from or --to.")
    }
    _ = try requested(subset)
  }

  func run() throws {
    try reporting {
      let progress = try StageProgress(isQuiet: quiet)
      let summary = try progress.run {
        try subset().run(
          folder: folder, to: out, replacesExisting: overwrite, report: progress.report)
      }
      StandardOutput.write(summary.lines)
      if !quiet {
        StandardError.write(NextCommand.after(preparing: out, isSplit: summary.isSplit))
      }
    }
  }

  private func subset() throws(SplitRequestError) -> DataSubset {
    var subset = DataSubset(seed: UInt64(seed))
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
