/// The value of every metric at every cutoff for each user of one split, from which significance
/// tests form pairs.
public struct UserMetrics: Sendable, Equatable {
  /// The split's name, `valid` or `test`.
  public let split: String
  /// The names of the values of a user, `recall@5` … `map@50`.
  public let names: [String]
  /// The ids of the users that have items in the split, ascending, `[n]`.
  public private(set) var users: [Int] = []
  /// `[n, names]`, row-major; unrounded.
  private var values: [Double] = []

  /// No users yet.
  ///
  /// - Precondition: no name is listed twice.
  public init(split: String, names: [String]) {
    precondition(Set(names).count == names.count, "names \(names)")
    self.split = split
    self.names = names
  }

  /// Adds a user.
  ///
  /// - Parameter row: one value per name.
  /// - Precondition: `user` is above all users so far, and `row` is as long as `names`.
  public mutating func append(user: Int, _ row: some Collection<Double>) {
    precondition(row.count == names.count && user > users.last ?? -1)
    users.append(user)
    values += row
  }

  /// The values of the user at a position, in the order of ``names``.
  public func row(_ position: Int) -> ArraySlice<Double> {
    values[position * names.count..<(position + 1) * names.count]
  }

  /// One metric of all users, `[n]`; nil if there is no such name.
  public func values(of name: String) -> [Double]? {
    guard let column = names.firstIndex(of: name) else { return nil }
    return stride(from: column, to: values.count, by: names.count).map { values[$0] }
  }

  /// The metrics of some of the users.
  public func filter(_ isIncluded: (_ user: Int) -> Bool) -> UserMetrics {
    var filtered = UserMetrics(split: split, names: names)
    for (position, user) in users.enumerated() where isIncluded(user) {
      filtered.append(user: user, row(position))
    }
    return filtered
  }

  /// The means over the users, by name. Over no users, zeros.
  ///
  /// - Parameter blockSize: users in the same block of this many ids are summed first, then the
  ///   blocks. With the block size of a run's evaluation the result has the same bits.
  /// - Precondition: `blockSize > 0`.
  public func means(blockSize: Int) -> [String: Double] {
    precondition(blockSize > 0)
    var totals = [Double](repeating: 0, count: names.count)
    var first = 0
    while first < users.count {
      let block = users[first] / blockSize
      var sums = [Double](repeating: 0, count: names.count)
      while first < users.count, users[first] / blockSize == block {
        for (column, value) in row(first).enumerated() { sums[column] += value }
        first += 1
      }
      for column in totals.indices { totals[column] += sums[column] }
    }
    let divisor = Double(max(1, users.count))
    return Dictionary(uniqueKeysWithValues: zip(names, totals.map { $0 / divisor }))
  }
}
