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
  /// The rows of the batch and their sampled neighbours: so many times the expected number
  /// (``SampledNeighbours``).
  case neighbourhood(Kind, factor: Double)
  /// Neither: so many as were counted.
  case counted(Double)

  /// The expected number of rows.
  ///
  /// - Parameters:
  ///   - rows: of the whole matrix.
  ///   - part: the part of the batch that the message is about.
  ///   - shards: V.
  package func count(rows: Int, part: PartRows, shards: Int) -> Double {
    func own(_ kind: Kind) -> Double { kind.count(of: part.batch) }
    switch self {
    case .whole: return Double(rows)
    case .distinct(let kind, let share): return share * own(kind)
    case .partition(let kind, let share):
      let part = 1 / Double(shards)
      return Double(rows) * part + (kind.map(own) ?? 0) * share * (1 - part)
    case .neighbourhood(let kind, let factor):
      return factor * kind.count(of: part.neighbourhood ?? part.batch)
    case .counted(let count): return count
    }
  }
}

extension SelectedRows.Kind {
  /// How many of these rows there are.
  func count(of rows: DistinctRows) -> Double {
    switch self {
    case .users: rows.users
    case .items: rows.items
    case .nodes: rows.users + rows.items
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
  ///   - part: the expected rows of this part of the batch.
  func recognise(
    _ keys: [UInt32], rows: Int?, range: Range<Int>?, part: PartRows
  ) -> SelectedRows {
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
      if let neighbours = part.neighbourhood, let kind = kind(containedIn: present, rows: rows) {
        return .neighbourhood(
          kind, factor: Double(present.count) / max(1, kind.count(of: neighbours)))
      }
      return .counted(Double(keys.count))
    }
    return .distinct(kind, share: Double(present.count) / Double(max(1, all.count)))
  }

  /// The kind of rows of the batch that are all among some keys.
  private func kind(containedIn keys: Set<UInt32>, rows: Int?) -> SelectedRows.Kind? {
    if rows == userCount, users.isSubset(of: keys) { return .users }
    if rows == itemCount, items.isSubset(of: keys) { return .items }
    return nil
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
