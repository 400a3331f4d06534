/// Which rows of a matrix a message has, as a function of the batch: read off the keys of a real
/// message.
package enum SelectedRows: Sendable, Equatable {
  /// What the rows of a batch are.
  package enum Kind: String, Sendable, Equatable {
    case users, items
    /// Users, then items, in one matrix of all nodes of a graph.
    case nodes
  }

  /// All rows that there are; no keys are sent.
  case whole
  /// A share of the distinct users, items or nodes of the batch: nearly always all of them.
  case distinct(Kind, share: Double)
  /// A V-th of the rows, and outside of it a share of the distinct rows of the batch.
  case partition(Kind?, share: Double)
  /// Neither: so many as were counted.
  case counted(Double)

  /// The expected number of rows.
  ///
  /// - Parameters:
  ///   - rows: of the whole matrix.
  ///   - distinct: of the part of the batch that the message is about.
  ///   - shards: V.
  package func count(rows: Int, distinct: DistinctRows, shards: Int) -> Double {
    func own(_ kind: Kind) -> Double {
      switch kind {
      case .users: distinct.users
      case .items: distinct.items
      case .nodes: distinct.users + distinct.items
      }
    }
    switch self {
    case .whole: return Double(rows)
    case .distinct(let kind, let share): return share * own(kind)
    case .partition(let kind, let share):
      let part = 1 / Double(shards)
      return Double(rows) * part + (kind.map(own) ?? 0) * share * (1 - part)
    case .counted(let count): return count
    }
  }
}

/// The distinct rows of a batch, to recognise them in messages.
struct BatchRowSets {
  private let users: Set<UInt32>
  private let items: Set<UInt32>
  private let userCount: Int
  private let itemCount: Int

  init(users: some Sequence<Int32>, items: some Sequence<Int32>, userCount: Int, itemCount: Int) {
    self.users = Set(users.map { UInt32($0) })
    self.items = Set(items.map { UInt32($0) })
    self.userCount = userCount
    self.itemCount = itemCount
  }

  /// - Parameters:
  ///   - keys: of one matrix, of the messages to all servers.
  ///   - rows: of the whole matrix; nil if they are not known.
  ///   - range: the rows that the shard sends for all shards, if the keys may contain it.
  func recognise(_ keys: [UInt32], rows: Int?, range: Range<Int>?) -> SelectedRows {
    let present = Set(keys)
    if let range, let rows, !range.isEmpty, range.count < rows,
      range.allSatisfy({ present.contains(UInt32($0)) })
    {
      let others = present.filter { !range.contains(Int($0)) }
      if others.isEmpty { return .partition(nil, share: 0) }
      if let (kind, all) = kind(of: others, rows: rows) {
        let outside = all.count { !range.contains(Int($0)) }
        return .partition(kind, share: Double(others.count) / Double(max(1, outside)))
      }
    }
    guard let (kind, all) = kind(of: present, rows: rows) else {
      return .counted(Double(keys.count))
    }
    return .distinct(kind, share: Double(present.count) / Double(max(1, all.count)))
  }

  private func kind(
    of keys: Set<UInt32>, rows: Int?
  ) -> (kind: SelectedRows.Kind, all: Set<UInt32>)? {
    func mayHave(_ count: Int) -> Bool { rows.map { $0 == count } ?? true }
    if mayHave(userCount), keys.isSubset(of: users) { return (.users, users) }
    if mayHave(itemCount), keys.isSubset(of: items) { return (.items, items) }
    guard mayHave(userCount + itemCount) else { return nil }
    let nodes = users.union(items.map { $0 + UInt32(userCount) })
    return keys.isSubset(of: nodes) ? (.nodes, nodes) : nil
  }
}
