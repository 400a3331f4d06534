import ArgumentParser
import DataPreparation
import Datasets
import Foundation
import Runtime

struct DataSplitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Divide a data set into training, validation and test.",
    discussion: """
      In this order: rows below --minimum-rating are left out, then repetitions of a user with an \
      item, then what is not in the core, and the rest is divided. The result depends on the \
      interactions and the seed, not on the order of lines. dataset.yaml of the new folder records \
      how it was made.

        mrdib data split shop --by leave-one-out --out shop-split
        mrdib data split shop --by time --ratios 0.8,0.1,0.1 --core 5 --out shop-split
        mrdib data split shop --kind cold-items --seed 7 --out shop-cold
      """)

  /// How to divide.
  enum Method: String, CaseIterable, ExpressibleByArgument {
    case random
    case leaveOneOut = "leave-one-out"
    case userTime = "user-time"
    case time
    case coldItems = "cold-items"
    case coldUsers = "cold-users"
  }

  @OptionGroup var options: DerivedFolderOptions

  @Option(
    name: [.customLong("by"), .customLong("kind")],
    help: ArgumentHelp(
      "random (for each user), leave-one-out (of each user the last for test, the one before for "
        + "validation), user-time (the latest of each user), time (the latest of all), cold-items "
        + "(all interactions of some items) or cold-users (all but one of some users)."))
  var by = Method.random

  @Option(
    help: ArgumentHelp(
      "Shares of training, validation and test, such as 0.8,0.1,0.1. Without them, random and "
        + "user-time hold out as many as MMRec does, the others take 0.8,0.1,0.1 (default: none).",
      valueName: "shares"))
  var ratios: String?

  @Option(
    help: ArgumentHelp(
      "With --by time: where validation begins, a date or seconds since 1970 (default: by "
        + "--ratios).", valueName: "time"))
  var validFrom: String?

  @Option(
    help: ArgumentHelp(
      "With --by time: where test begins (default: by --ratios).", valueName: "time"))
  var testFrom: String?

  @Option(
    help: ArgumentHelp(
      "Leave out rows with a lower rating, or without one (default: none are left out).",
      valueName: "rating"))
  var minimumRating: Float?

  @Option(
    help: ArgumentHelp(
      "Which row of a user with the same item to keep: first, last, highest (rating), or refuse "
        + "the data set."))
  var duplicates = DuplicateRule.first

  @Option(
    help: ArgumentHelp(
      "Keep users and items with at least so many interactions, repeatedly (the k-core; default: "
        + "keep all).",
      valueName: "k"))
  var core: Int?

  @Option(help: ArgumentHelp("As --core, for users only (default: --core).", valueName: "k"))
  var userCore: Int?

  @Option(help: ArgumentHelp("As --core, for items only (default: --core).", valueName: "k"))
  var itemCore: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Keep items with features but without interactions (by default: unless there is a core).")
  var keepColdItems: Bool?

  @Flag(help: "Split a data set that is split already.")
  var replaceSplit = false

  func validate() throws {
    for (option, value) in [
      ("--core", core), ("--user-core", userCore), ("--item-core", itemCore),
    ] {
      guard let value, !(1...1_000_000).contains(value) else { continue }
      throw ValidationError("\(option) is \(value); expected a whole number from 1 to 1000000.")
    }
    if let minimumRating, !minimumRating.isFinite {
      throw ValidationError("--minimum-rating is \(minimumRating); expected a finite number.")
    }
    _ = try requested(method)
  }

  func run() throws {
    try reporting {
      var split = DataSplit(method: try method(), seed: UInt64(options.seed))
      split.minimumRating = minimumRating
      split.duplicates = duplicates
      split.userCore = userCore ?? core ?? 0
      split.itemCore = itemCore ?? core ?? 0
      split.keepsColdItems = keepColdItems
      split.replacesSplit = replaceSplit
      try options.run { progress in
        try split.run(
          folder: options.folder, to: options.out, replacesExisting: options.overwrite,
          report: progress.report)
      } summary: {
        ($0.lines, true)
      }
    }
  }

  /// The method with what belongs to it.
  ///
  /// - Throws: ``SplitRequestError`` for values that cannot be read or do not belong to it.
  private func method() throws(SplitRequestError) -> SplitMethod {
    let shares = try ratios.map { text throws(SplitRequestError) in try SplitRatios(parsing: text) }
    guard by == .time || (validFrom == nil && testFrom == nil) else {
      throw SplitRequestError("--valid-from and --test-from belong to --by time")
    }
    switch by {
    case .random: return .random(shares)
    case .userTime: return .userTime(shares)
    case .leaveOneOut:
      guard shares == nil else {
        throw SplitRequestError("--ratios do not belong to --by leave-one-out; use --by user-time")
      }
      return .leaveOneOut
    case .time: return .time(try timeCut(shares))
    case .coldItems: return .coldItems(shares ?? .standard)
    case .coldUsers: return .coldUsers(shares ?? .standard)
    }
  }

  private func timeCut(_ shares: SplitRatios?) throws(SplitRequestError) -> TimeCut {
    guard validFrom != nil || testFrom != nil else { return .ratios(shares ?? .standard) }
    guard let validFrom, let testFrom, shares == nil else {
      guard shares == nil else {
        throw SplitRequestError(
          "--ratios and --valid-from or --test-from exclude each other: the shares decide the "
            + "times")
      }
      let (given, missing) =
        validFrom == nil ? ("--test-from", "--valid-from") : ("--valid-from", "--test-from")
      throw SplitRequestError(
        "\(given) needs \(missing) as well: validation is from --valid-from to --test-from, and "
          + "test is what follows")
    }
    let valid = try TimePoint.seconds(parsing: validFrom, option: "--valid-from")
    let test = try TimePoint.seconds(parsing: testFrom, option: "--test-from")
    guard valid < test else {
      throw SplitRequestError("--valid-from is not before --test-from")
    }
    return .points(valid: valid, test: test)
  }
}

extension DuplicateRule: ExpressibleByArgument {}

extension ParsableCommand {
  /// Reads the values of options while the command line is checked, so that a wrong one is reported
  /// with the usage.
  func requested<Value>(_ read: () throws(SplitRequestError) -> Value) throws -> Value {
    do {
      return try read()
    } catch {
      throw ValidationError("\(error).")
    }
  }
}
