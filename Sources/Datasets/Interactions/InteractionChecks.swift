/// Checks that need all interactions at once. Memory stays proportional to the number of
/// interactions, however large the ids in them are.
enum InteractionChecks {
  /// All checks that concern the interactions alone.
  static func checkAll(
    _ interactions: Interactions, log: inout ProblemLog
  ) throws(DatasetError) {
    try checkThereIsTraining(interactions, log: &log)
    // A line that could not be read may hold the missing user and is already reported.
    if !interactions.hasGaps { try checkUsersAreDense(interactions, log: &log) }
    try checkForDuplicates(interactions, log: &log)
  }

  /// Every user id from 0 to the largest must occur: a user without any interaction has a row in
  /// the user table that is never trained, and is nearly always a mistake in the numbering.
  static func checkUsersAreDense(
    _ interactions: Interactions, log: inout ProblemLog
  ) throws(DatasetError) {
    guard let missing = smallestMissingID(interactions.users) else { return }
    let last = rowOfLargest(interactions.users)
    try log.report(
      interactions.problem(
        row: last,
        "user ids run to \(interactions.users[last]) here, but user \(missing) has no interaction "
          + "at all: number the users 0, 1, 2, … without gaps"))
  }

  /// Every item id from 0 to the largest must occur, unless feature rows cover the items: an item
  /// with features but without interactions can be recommended from its features alone.
  static func checkItemsAreDense(
    _ interactions: Interactions, log: inout ProblemLog
  ) throws(DatasetError) {
    guard let missing = smallestMissingID(interactions.items) else { return }
    let last = rowOfLargest(interactions.items)
    try log.report(
      interactions.problem(
        row: last,
        "item ids run to \(interactions.items[last]) here, but item \(missing) has no interaction "
          + "and no feature file covers it: number the items 0, 1, 2, … without gaps, or add "
          + "features"))
  }

  /// A pair of user and item may occur once, in whatever split.
  ///
  /// Does nothing if user ids exceed the number of interactions: grouping by user would need
  /// room for the largest id, and ``checkUsersAreDense(_:log:)`` has already rejected them.
  static func checkForDuplicates(
    _ interactions: Interactions, log: inout ProblemLog
  ) throws(DatasetError) {
    guard Int(interactions.users.max() ?? 0) < interactions.count else { return }
    let rows = RowsByUser(interactions.users)
    var keys: [UInt64] = []
    for user in 0..<rows.userCount {
      keys.removeAll(keepingCapacity: true)
      for row in rows[user] {
        keys.append(UInt64(interactions.items[Int(row)]) << 32 | UInt64(row))
      }
      keys.sort()
      for (first, second) in zip(keys, keys.dropFirst()) where first >> 32 == second >> 32 {
        let rows = (Int(first & 0xFFFF_FFFF), Int(second & 0xFFFF_FFFF))
        let earlier = interactions.line(of: rows.0).map { "line \($0)" } ?? "row \(rows.0)"
        try log.report(
          interactions.problem(
            row: rows.1,
            "repeats user \(user) with item \(first >> 32) of \(earlier): keep one of the two rows"
          ))
      }
    }
  }

  static func checkThereIsTraining(
    _ interactions: Interactions, log: inout ProblemLog
  ) throws(DatasetError) {
    if !interactions.labels.contains(.train) {
      try log.report(
        interactions.problem(
          "has no row with x_label 0: there is nothing to train on; mark about 80 % of each user's "
            + "rows 0"))
    }
  }

  /// The smallest id that does not occur although a larger one does. By the pigeonhole principle
  /// it is at most the number of ids, so the search never needs more room than that.
  private static func smallestMissingID(_ ids: [Int32]) -> Int? {
    guard let largest = ids.max() else { return nil }
    var occurs = [Bool](repeating: false, count: min(Int(largest), ids.count) + 1)
    for id in ids where Int(id) < occurs.count { occurs[Int(id)] = true }
    return occurs.firstIndex(of: false)
  }

  /// The row of the largest id; 0 if there is none.
  static func rowOfLargest(_ ids: [Int32]) -> Int {
    ids.indices.max { ids[$0] < ids[$1] } ?? 0
  }
}

/// The row numbers of each user, in the order of the file.
private struct RowsByUser {
  private let offsets: [Int]
  private let rows: [Int32]

  var userCount: Int { offsets.count - 1 }

  /// - Precondition: there are fewer than 2^31 rows.
  init(_ users: [Int32]) {
    let userCount = Int(users.max() ?? -1) + 1
    var offsets = [Int](repeating: 0, count: userCount + 1)
    for user in users { offsets[Int(user) + 1] += 1 }
    for user in 0..<userCount { offsets[user + 1] += offsets[user] }
    var next = offsets
    var rows = [Int32](repeating: 0, count: users.count)
    for (row, user) in users.enumerated() {
      rows[next[Int(user)]] = Int32(row)
      next[Int(user)] += 1
    }
    self.offsets = offsets
    self.rows = rows
  }

  subscript(user: Int) -> ArraySlice<Int32> { rows[offsets[user]..<offsets[user + 1]] }
}

/// A source of the number of items: a feature file with its row count.
struct ItemExtent {
  let source: String
  let rows: Int

  /// The number of items: that of the feature rows if there are features, else largest item id + 1.
  ///
  /// More rows than the interactions need are items without interactions. (In all published data
  /// sets that we have seen, both numbers agree.)
  ///
  /// - Throws: ``DatasetError`` if the extents differ, do not cover the interactions, or if there
  ///   are none and the item ids have gaps.
  static func itemCount(
    of interactions: Interactions, covering extents: [ItemExtent], log: inout ProblemLog
  ) throws(DatasetError) -> Int {
    let row = InteractionChecks.rowOfLargest(interactions.items)
    let needed = Int(interactions.items[row]) + 1
    guard let first = extents.first else {
      try InteractionChecks.checkItemsAreDense(interactions, log: &log)
      return needed
    }
    for extent in extents.dropFirst() where extent.rows != first.rows {
      try log.report(
        DatasetError(
          .inconsistent, path: extent.source,
          "has \(extent.rows) rows, but \(first.source) has \(first.rows): every modality has one "
            + "row per item, and row numbers are item ids; export both for the same items"))
    }
    for extent in extents where extent.rows < needed {
      let place = interactions.line(of: row).map { "line \($0)" } ?? "row \(row)"
      try log.report(
        DatasetError(
          .inconsistent, path: extent.source,
          "has \(extent.rows) rows, but item ids run to \(needed - 1) (\(interactions.source), "
            + "\(place)), which needs \(needed) rows (row numbers are item ids); export them "
            + "again after renumbering the items"))
    }
    return first.rows
  }
}
