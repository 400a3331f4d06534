import Datasets

/// Interactions while rows of them are chosen: columns of equal length, at most 21 bytes per row.
package struct InteractionColumns: Sendable, Equatable {
  /// `[count]`, ids from 0.
  package private(set) var users: [Int32]
  /// `[count]`, ids from 0.
  package private(set) var items: [Int32]
  /// `[count]`, if the source has them.
  package private(set) var ratings: [Float]?
  /// `[count]`, seconds since 1970, if the source has them.
  package private(set) var times: [Double]?
  /// `[count]`, if the source is split.
  package private(set) var labels: [SplitLabel]?

  package var count: Int { users.count }

  /// - Precondition: all columns have the same length, and no id is negative.
  package init(
    users: [Int32], items: [Int32], ratings: [Float]? = nil, times: [Double]? = nil,
    labels: [SplitLabel]? = nil
  ) {
    let lengths = [items.count, ratings?.count, times?.count, labels?.count].compactMap { $0 }
    precondition(lengths.allSatisfy { $0 == users.count }, "\(users.count) rows and \(lengths)")
    self.users = users
    self.items = items
    self.ratings = ratings
    self.times = times
    self.labels = labels
  }

  /// Removes the rows for which `isKept`, `[count]`, is false. The order stays.
  ///
  /// - Returns: how many were removed.
  @discardableResult
  package mutating func keep(_ isKept: [Bool]) -> Int {
    precondition(isKept.count == count, "\(isKept.count) marks for \(count) rows")
    let before = count
    guard isKept.contains(false) else { return 0 }
    Self.compact(&users, isKept)
    Self.compact(&items, isKept)
    Self.compactIfPresent(&ratings, isKept)
    Self.compactIfPresent(&times, isKept)
    Self.compactIfPresent(&labels, isKept)
    return before - count
  }

  /// Sorts the rows by user, then by item. Rows with the same user and item stay in their order.
  ///
  /// - Complexity: O(rows + largest ids) time; one index of 4 bytes per row while it runs.
  package mutating func sortByUserAndItem() {
    let byItem = CountingOrder.rows(of: items)
    let order = CountingOrder.rows(of: users, visiting: byItem)
    Self.permute(&users, order)
    Self.permute(&items, order)
    if var column = ratings {
      ratings = nil
      Self.permute(&column, order)
      ratings = column
    }
    if var column = times {
      times = nil
      Self.permute(&column, order)
      times = column
    }
    if var column = labels {
      labels = nil
      Self.permute(&column, order)
      labels = column
    }
  }

  /// Replaces the labels, or removes them.
  package mutating func setLabels(_ labels: [SplitLabel]?) {
    precondition(labels.map { $0.count == count } ?? true, "labels of other rows")
    self.labels = labels
  }

  private static func compact<Element>(_ column: inout [Element], _ isKept: [Bool]) {
    var next = 0
    for row in isKept.indices where isKept[row] {
      column[next] = column[row]
      next += 1
    }
    column.removeLast(column.count - next)
  }

  private static func compactIfPresent<Element>(_ column: inout [Element]?, _ isKept: [Bool]) {
    guard var values = column else { return }
    // Without this, the array would be copied.
    column = nil
    compact(&values, isKept)
    column = values
  }

  private static func permute<Element>(_ column: inout [Element], _ order: [Int32]) {
    column = order.map { column[Int($0)] }
  }
}

/// Orders rows by a column of ids, by counting.
enum CountingOrder {
  /// The rows in ascending order of their ids; rows with the same id keep the order in which they
  /// are visited.
  ///
  /// - Parameters:
  ///   - ids: `[rows]`, not negative.
  ///   - order: the order in which rows are visited, `[rows]`; nil for their own.
  /// - Complexity: O(rows + largest id).
  static func rows(of ids: [Int32], visiting order: [Int32]? = nil) -> [Int32] {
    var next = offsets(of: ids)
    var rows = [Int32](repeating: 0, count: ids.count)
    for position in ids.indices {
      let row = order.map { Int($0[position]) } ?? position
      let id = Int(ids[row])
      rows[next[id]] = Int32(truncatingIfNeeded: row)
      next[id] += 1
    }
    return rows
  }

  /// Where the rows of each id begin when rows are ordered by id, `[largest id + 2]`; the last
  /// entry is the number of rows.
  static func offsets(of ids: [Int32], count: Int? = nil) -> [Int] {
    let count = count ?? Int(ids.max() ?? -1) + 1
    var offsets = [Int](repeating: 0, count: count + 1)
    for id in ids { offsets[Int(id) + 1] += 1 }
    for id in 0..<count { offsets[id + 1] += offsets[id] }
    return offsets
  }
}
