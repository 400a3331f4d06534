import Datasets

/// Which of several interactions of one user with one item is kept.
package enum DuplicateRule: String, Sendable, CaseIterable {
  /// The earliest: what is held out is then new to the user.
  case first
  /// The latest.
  case last
  /// The one with the highest rating; among these the earliest.
  case highest
  /// None: a repetition is an error.
  case refuse

  /// Marks the rows to keep, `[count]`: one per user and item.
  ///
  /// Of rows with equal times, the one with the higher rating is kept; without times
  /// (``InteractionColumns/hasUsefulTimes``), the order of lines is taken for the order in time.
  ///
  /// - Precondition: the rows are sorted by user and item, and have ratings for `highest`.
  package func kept(of columns: InteractionColumns) -> [Bool] {
    var isKept = [Bool](repeating: true, count: columns.count)
    let times = columns.hasUsefulTimes ? columns.times : nil
    var chosen = 0
    for row in 1..<max(columns.count, 1) {
      guard Self.isSamePair(columns, chosen, row) else {
        chosen = row
        continue
      }
      let loser = replaces(columns, times, row, chosen) ? chosen : row
      isKept[loser] = false
      if loser == chosen { chosen = row }
    }
    return isKept
  }

  /// The first row that repeats the user and item of the row before; nil if there is none.
  ///
  /// - Precondition: the rows are sorted by user and item.
  package static func firstRepetition(in columns: InteractionColumns) -> Int? {
    (1..<max(columns.count, 1)).first { isSamePair(columns, $0 - 1, $0) }
  }

  private static func isSamePair(_ columns: InteractionColumns, _ a: Int, _ b: Int) -> Bool {
    columns.users[a] == columns.users[b] && columns.items[a] == columns.items[b]
  }

  /// Whether a later row of the file is kept in place of the one that is chosen so far.
  private func replaces(
    _ columns: InteractionColumns, _ times: [Double]?, _ row: Int, _ chosen: Int
  ) -> Bool {
    let later = times.map { Self.order($0[chosen], $0[row]) }
    let higher = columns.ratings.map { Self.order(Double($0[chosen]), Double($0[row])) }
    switch self {
    case .first, .refuse:
      return later == .below || (later == .equal && higher == .above)
    case .last:
      return (later ?? .above) == .above || (later == .equal && higher == .above)
    case .highest:
      return higher == .above || (higher == .equal && later == .below)
    }
  }

  private enum Order {
    case below
    case equal
    case above
  }

  /// Where the second value stands from the first. Unknown values (NaN) are below all others.
  private static func order(_ first: Double, _ second: Double) -> Order {
    if first.isNaN || second.isNaN {
      return first.isNaN == second.isNaN ? .equal : second.isNaN ? .below : .above
    }
    return second < first ? .below : second > first ? .above : .equal
  }
}
