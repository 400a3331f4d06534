import Datasets
import Files
import Foundation

/// Makes a folder that is divided into training, validation and test from one that is not.
///
/// In this order: rows below the minimum rating are left out, then repetitions, then what is not in
/// the core, and the rest is divided. The result depends on the interactions and the seed, not on
/// the order of lines.
package struct DataSplit: Sendable {
  package var method: SplitMethod
  package var seed: UInt64
  /// Rows with a lower rating, or with none, are left out.
  package var minimumRating: Float?
  package var duplicates = DuplicateRule.first
  /// The fewest interactions of a user and of an item; 0 asks for nothing.
  package var userCore = 0
  package var itemCore = 0
  /// Whether items with features but without interactions stay; nil: unless there is a core.
  package var keepsColdItems: Bool?
  /// Whether a folder that is split already may be split again.
  package var replacesSplit = false

  package init(method: SplitMethod, seed: UInt64) {
    self.method = method
    self.seed = seed
  }

  /// Whether items with features but without interactions stay.
  package var stayingColdItems: Bool { keepsColdItems ?? (userCore <= 1 && itemCore <= 1) }

  /// Reads a folder and writes the divided one.
  ///
  /// - Parameters:
  ///   - folder: the data set's folder.
  ///   - path: the folder to make.
  ///   - replacesExisting: whether a folder with files at the path may be replaced.
  ///   - report: called with the progress.
  /// - Throws: ``DatasetError`` if the folder cannot be read or written, or if nothing would be
  ///   left of one of the three parts; and what `report` throws. Nothing is written then.
  package func run(
    folder: String, to path: String, replacesExisting: Bool, report: StageReport
  ) throws -> SplitSummary {
    let target = try NewFolder(path: path, replacesExisting: replacesExisting, from: folder)
    try report("reading", nil)
    var (source, columns) = try SourceFolder.read(folder)
    var summary = SplitSummary(
      method: method, interactionsRead: columns.count, usersRead: source.userCount,
      itemsRead: source.itemCount)
    let file = source.description.path(of: source.description.interactionsFile)
    try check(columns, order: TimeOrder(source.description.history), file: file)
    columns.setLabels(nil)

    summary.belowMinimumRating = try removeLowRatings(&columns, file: file)
    try report("sorting", nil)
    columns.sortByUserAndItem()
    summary.duplicates = try removeDuplicates(&columns, source: source, file: file)
    try report("taking the core", nil)
    try takeCore(&columns, file: file, summary: &summary)

    try report("dividing", nil)
    let hashes = source.identifierHashes()
    let keys = PairKeys(users: hashes.users, items: hashes.items, seed: seed)
    let assignment = SplitAssignment(columns, method: method, keys: keys)
    columns.setLabels(assignment.labels)
    summary.count(assignment, of: columns)
    try checkParts(summary, file: file)

    let selection = FolderSelection(
      source: source, taking: columns,
      keepsItem: stayingColdItems ? try source.itemsWithFeatures() ?? allItems(source) : nil)
    summary.users = selection.users.count
    summary.items = selection.items.count
    summary.staleNeighbourFiles = selection.staleNeighbourFiles
    let order = OutputOrder(columns, keys: keys)
    try selection.write(
      to: target, columns: columns, order: order, step: step(summary), report: report)
    try target.commit()
    return summary
  }

  private func allItems(_ source: SourceFolder) -> [Bool] {
    [Bool](repeating: true, count: source.itemCount)
  }

  /// Checks what is asked for against the columns that there are.
  private func check(
    _ columns: InteractionColumns, order: TimeOrder?, file: String
  ) throws(DatasetError) {
    guard columns.labels == nil || replacesSplit else {
      throw DatasetError(
        .configuration, path: file,
        "has a column x_label: it is split already. Train on it as it is, or split it again with "
          + "--replace-split")
    }
    guard minimumRating == nil || columns.ratings != nil else {
      throw DatasetError(
        .configuration, path: file,
        "has no column rating, so --minimum-rating cannot be applied; leave the option out")
    }
    guard duplicates != .highest || columns.ratings != nil else {
      throw DatasetError(
        .configuration, path: file,
        "has no column rating, so --duplicates highest cannot be applied; use first or last")
    }
    if method.needsTimes, !columns.hasUsefulTimes {
      let found =
        columns.times == nil
        ? "has no column timestamp" : "has no two different times in its column timestamp"
      throw DatasetError(
        .configuration, path: file,
        "\(found), so it cannot be split by time; use --by random, or import the times of the "
          + "interactions")
    }
    if case .time = method, order == .list {
      throw DatasetError(
        .configuration, path: file,
        "has the order of each user's items as its timestamps, which is no time that users have in "
          + "common: use --by user-time or --by leave-one-out")
    }
    let ordersByTime = method.needsTimes || method == .leaveOneOut
    guard !ordersByTime || !columns.hasUsefulTimes || columns.missingTimeCount == 0 else {
      throw DatasetError(
        .configuration, path: file,
        "has no time in \(columns.missingTimeCount) of its \(columns.count) rows, so these have no "
          + "place in a split by time; remove the rows, or use --by random")
    }
  }

  private func removeLowRatings(
    _ columns: inout InteractionColumns, file: String
  ) throws(DatasetError) -> Int {
    guard let minimumRating, let ratings = columns.ratings else { return 0 }
    let removed = columns.keep(ratings.map { $0 >= minimumRating })
    guard columns.count > 0 else {
      let highest = ratings.filter { !$0.isNaN }.max().map { "the highest is \($0)" }
      throw DatasetError(
        .configuration, path: file,
        "has no rating of at least \(minimumRating) (\(highest ?? "no row has a rating")): choose "
          + "a lower --minimum-rating")
    }
    return removed
  }

  private func removeDuplicates(
    _ columns: inout InteractionColumns, source: SourceFolder, file: String
  ) throws(DatasetError) -> Int {
    guard duplicates == .refuse else { return columns.keep(duplicates.kept(of: columns)) }
    guard let row = DuplicateRule.firstRepetition(in: columns) else { return 0 }
    let name = { (table: IdentifierTable?, id: Int32) in
      (table?.id(of: Int(id)) ?? String(id)).sanitized(atMost: 64)
    }
    throw DatasetError(
      .inconsistent, path: file,
      "has more than one row of user '\(name(source.users, columns.users[row]))' with item "
        + "'\(name(source.items, columns.items[row]))', which --duplicates refuse does not allow: "
        + "remove the repetitions, or choose first, last or highest")
  }

  private func takeCore(
    _ columns: inout InteractionColumns, file: String, summary: inout SplitSummary
  ) throws(DatasetError) {
    guard userCore > 1 || itemCore > 1 else { return }
    let core = CoreFilter(columns, userMinimum: userCore, itemMinimum: itemCore)
    guard !core.isEmpty else {
      let largest = CoreFilter.largest(columns, userMinimum: userCore, itemMinimum: itemCore)
      throw DatasetError(
        .configuration, path: file,
        "has no core in which users have \(userCore) and items \(itemCore) interactions: all would "
          + "be left out. The largest that leaves something is --core \(largest)")
    }
    summary.coreRounds = core.rounds
    summary.outsideCore = columns.keep(core.isKept)
  }

  /// Refuses a division with an empty part: there would be nothing to train on, to choose the best
  /// epoch by, or to report.
  private func checkParts(_ summary: SplitSummary, file: String) throws(DatasetError) {
    let empty = [
      ("training", summary.train), ("validation", summary.valid), ("test", summary.test),
    ].filter { $0.1 == 0 }.map(\.0)
    guard !empty.isEmpty else {
      guard summary.usableValidRows > 0 else {
        throw DatasetError(
          .configuration, path: file,
          "would have no user with interactions for both training and validation, so that no best "
            + "epoch could be chosen: use --by user-time or --by random")
      }
      return
    }
    guard method.isByTime || summary.mostOfUser >= 3 else {
      throw DatasetError(
        .configuration, path: file,
        "has no user with 3 interactions, of which one is for validation, one for test and the "
          + "others for training: import data with more interactions of a user, or leave out fewer")
    }
    let advice =
      switch method {
      case .time(.points):
        "choose other times: the interactions are from \(summary.timeRange ?? "unknown times")"
      case .time(.ratios): "choose other --ratios, or the times with --valid-from and --test-from"
      case .random(.some), .userTime(.some): "choose --ratios with larger parts for them"
      case .coldItems, .coldUsers: "choose --ratios with larger parts for them"
      case .random, .userTime, .leaveOneOut: "use --by random with --ratios"
      }
    throw DatasetError(
      .configuration, path: file,
      "would have no interaction for \(empty.joined(separator: " and ")): \(advice)")
  }
}
