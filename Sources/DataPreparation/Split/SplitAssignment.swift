import Datasets
import Tensors

/// The division of interactions into training, validation and test by one method.
package struct SplitAssignment: Sendable {
  /// `[rows]`.
  package private(set) var labels: [SplitLabel]
  /// The points in time between the parts, for a split by time.
  package private(set) var cut: (valid: Double, test: Double)?
  /// Users with too few interactions to hold any out: all of theirs are for training.
  package private(set) var usersInTrainingOnly = 0
  /// Whether times were missing, so that random keys stand in for the order.
  package private(set) var isOrderRandom = false

  /// - Parameters:
  ///   - columns: sorted by user and item, each pair once, at least one row.
  ///   - keys: the random keys of users, items and pairs.
  /// - Precondition: the rows have times if the method needs them.
  /// - Complexity: O(rows × log(rows per user)); a label per row, and 24 bytes per row of
  ///   the largest user.
  package init(_ columns: InteractionColumns, method: SplitMethod, keys: PairKeys) {
    labels = [SplitLabel](repeating: .train, count: columns.count)
    if case .time(let timeCut) = method {
      guard let times = columns.times else { preconditionFailure("a split by time without times") }
      assign(timeCut.points(in: times), times: times)
      return
    }
    let cold = ColdChoice(columns, method: method, keys: keys)
    isOrderRandom = method == .leaveOneOut && !columns.hasUsefulTimes
    let order = UserOrder(columns, keys: keys, usesTimes: Self.usesTimes(method))
    var start = 0
    while start < columns.count {
      let user = columns.users[start]
      var end = start + 1
      while end < columns.count, columns.users[end] == user { end += 1 }
      defer { start = end }
      var rows = order.rows(start..<end)
      if let label = cold.users[user] {
        for row in rows.dropFirst() { labels[row] = label }
        continue
      }
      if !cold.items.isEmpty {
        for row in rows { labels[row] = cold.items[columns.items[row]] ?? .train }
        rows.removeAll { cold.items[columns.items[$0]] != nil }
      }
      let (valid, test) = Self.heldOut(method, of: rows.count, user: user, keys: keys)
      if valid + test == 0 {
        if rows.count == end - start { usersInTrainingOnly += 1 }
      } else {
        for row in rows.suffix(test) { labels[row] = .test }
        for row in rows.dropLast(test).suffix(valid) { labels[row] = .valid }
      }
    }
  }

  private static func usesTimes(_ method: SplitMethod) -> Bool {
    switch method {
    case .random, .coldItems, .coldUsers: false
    case .leaveOneOut, .userTime, .time: true
    }
  }

  private static func heldOut(
    _ method: SplitMethod, of count: Int, user: Int32, keys: PairKeys
  ) -> (valid: Int, test: Int) {
    switch method {
    case .random(let ratios?), .userTime(let ratios?), .coldItems(let ratios),
      .coldUsers(let ratios):
      ratios.heldOut(of: count, key: keys.key(user: user))
    case .random, .userTime:
      count < 3 ? (0, 0) : SplitRule.heldOut(of: count)
    case .leaveOneOut, .time:
      count < 3 ? (0, 0) : (1, 1)
    }
  }

  private mutating func assign(_ points: (valid: Double, test: Double), times: [Double]) {
    cut = points
    for row in times.indices where times[row] >= points.valid {
      labels[row] = times[row] >= points.test ? .test : .valid
    }
  }
}

/// The order of the interactions of one user: by time, and by random keys where times are equal or
/// not to be used.
///
/// Keys come from the seed and the ids, so equal times are broken in the same way whatever the
/// order of lines.
struct UserOrder {
  private let columns: InteractionColumns
  private let keys: PairKeys
  private let times: [Double]?

  /// - Parameter columns: sorted by user and item.
  init(_ columns: InteractionColumns, keys: PairKeys, usesTimes: Bool) {
    self.columns = columns
    self.keys = keys
    times = usesTimes ? columns.times : nil
  }

  /// The rows of one user, earliest first.
  ///
  /// - Parameter range: all rows of the user.
  func rows(_ range: Range<Int>) -> [Int] {
    let keys = keys.keys(user: columns.users[range.lowerBound], items: columns.items[range])
    var places = zip(range, keys).map { row, key in
      Place(time: times?[row] ?? 0, key: key, row: row)
    }
    places.sort()
    return places.map(\.row)
  }

  private struct Place: Comparable {
    let time: Double
    let key: UInt64
    let row: Int

    static func < (a: Place, b: Place) -> Bool {
      // Rows are sorted by item, which decides should two keys ever be equal.
      a.time != b.time ? a.time < b.time : a.key != b.key ? a.key < b.key : a.row < b.row
    }
  }
}
