import Datasets

/// The items or users that a split holds out as a whole.
///
/// They are ordered by random keys of the seed and their ids. The first are for test, as many as
/// its share of all that have enough interactions, the next for validation; at least one each.
struct ColdChoice {
  /// The part of each cold item; empty for other methods.
  private(set) var items: [Int32: SplitLabel] = [:]
  /// The part of each cold user, of all interactions but one; empty for other methods.
  private(set) var users: [Int32: SplitLabel] = [:]

  /// - Parameter columns: sorted by user and item, each pair once.
  init(_ columns: InteractionColumns, method: SplitMethod, keys: PairKeys) {
    switch method {
    case .coldItems(let ratios):
      items = Self.choose(Set(columns.items), ratios) { keys.coldKey(item: $0) }
    case .coldUsers(let ratios):
      // One interaction is for training, so there must be another to hold out.
      let several = zip(columns.users, columns.users.dropFirst()).filter { $0 == $1 }.map(\.0)
      users = Self.choose(Set(several), ratios) { keys.coldKey(user: $0) }
    case .random, .leaveOneOut, .userTime, .time: break
    }
  }

  private static func choose(
    _ ids: Set<Int32>, _ ratios: SplitRatios, key: (Int32) -> UInt64
  ) -> [Int32: SplitLabel] {
    let order = ids.map { (key: key($0), id: $0) }.sorted { $0 < $1 }.map(\.id)
    let count = { (share: Double) in max(1, Int((share * Double(order.count)).rounded())) }
    let test = order.prefix(count(ratios.test))
    let valid = order.dropFirst(test.count).prefix(count(ratios.valid))
    return Dictionary(
      uniqueKeysWithValues: test.map { ($0, .test) } + valid.map { ($0, .valid) })
  }
}
