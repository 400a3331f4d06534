import Datasets

/// The k-core of the graph of users and items: what is left when users and items with too few
/// interactions are removed until there are none.
///
/// The result does not depend on the order of removal: it is the largest set of rows in which every
/// user and every item has as many as are asked for.
///
/// - Source: Seidman 1983, "Network structure and minimum degree"; the peeling of Batagelj and
///   Zaveršnik 2003, arXiv:cs/0310049.
package struct CoreFilter {
  /// Marks the rows of the core, `[rows]`.
  package private(set) var isKept: [Bool]
  /// How many times users and items were removed. A round removes all that had too few at its
  /// beginning.
  package private(set) var rounds = 0

  /// Whether anything is left.
  package var isEmpty: Bool { !isKept.contains(true) }

  /// - Parameters:
  ///   - columns: sorted by user; each pair of user and item occurs once.
  ///   - userMinimum: the fewest interactions of a user; 0 and 1 ask for nothing.
  ///   - itemMinimum: the fewest interactions of an item.
  /// - Complexity: O(rows + largest ids) time, however many rounds there are; 5 bytes per row.
  package init(_ columns: InteractionColumns, userMinimum: Int, itemMinimum: Int) {
    self.init(CoreGraph(columns), userMinimum: userMinimum, itemMinimum: itemMinimum)
  }

  private init(_ graph: CoreGraph, userMinimum: Int, itemMinimum: Int) {
    isKept = [Bool](repeating: true, count: graph.users.count)
    var userDegrees = CoreGraph.degrees(graph.userOffsets)
    var itemDegrees = CoreGraph.degrees(graph.itemOffsets)
    // Ids without any interaction are no part of the graph.
    var fewUsers = userDegrees.indices.filter { (1..<max(userMinimum, 1)) ~= userDegrees[$0] }
    var fewItems = itemDegrees.indices.filter { (1..<max(itemMinimum, 1)) ~= itemDegrees[$0] }
    while !fewUsers.isEmpty || !fewItems.isEmpty {
      rounds += 1
      var nextUsers: [Int] = []
      var nextItems: [Int] = []
      for user in fewUsers {
        for row in graph.userOffsets[user]..<graph.userOffsets[user + 1] where isKept[row] {
          isKept[row] = false
          let item = Int(graph.items[row])
          // Exactly once: when the item falls below.
          if itemDegrees[item] == itemMinimum { nextItems.append(item) }
          itemDegrees[item] -= 1
        }
      }
      for item in fewItems {
        for position in graph.itemOffsets[item]..<graph.itemOffsets[item + 1] {
          let row = Int(graph.rowsByItem[position])
          guard isKept[row] else { continue }
          isKept[row] = false
          let user = Int(graph.users[row])
          if userDegrees[user] == userMinimum { nextUsers.append(user) }
          userDegrees[user] -= 1
        }
      }
      // What has lost all its rows meanwhile is gone without another round.
      fewUsers = nextUsers.filter { userDegrees[$0] > 0 }
      fewItems = nextItems.filter { itemDegrees[$0] > 0 }
    }
  }

  /// The largest k, at most `limit`, for which something is left when users need the smaller of k
  /// and `userMinimum`, and items the smaller of k and `itemMinimum`; 0 if there are no rows.
  package static func largest(
    _ columns: InteractionColumns, userMinimum: Int, itemMinimum: Int
  ) -> Int {
    let graph = CoreGraph(columns)
    var (possible, impossible) = (0, max(userMinimum, itemMinimum) + 1)
    while impossible - possible > 1 {
      let k = (possible + impossible) / 2
      let core = CoreFilter(
        graph, userMinimum: min(k, userMinimum), itemMinimum: min(k, itemMinimum))
      if core.isEmpty { impossible = k } else { possible = k }
    }
    return possible
  }
}

/// The rows of each user and of each item.
private struct CoreGraph {
  let users: [Int32]
  let items: [Int32]
  /// The rows of user u are `userOffsets[u] ..< userOffsets[u + 1]`.
  let userOffsets: [Int]
  /// The rows of item i are those at `itemOffsets[i] ..< itemOffsets[i + 1]` in `rowsByItem`.
  let itemOffsets: [Int]
  let rowsByItem: [Int32]

  init(_ columns: InteractionColumns) {
    users = columns.users
    items = columns.items
    userOffsets = CountingOrder.offsets(of: columns.users)
    itemOffsets = CountingOrder.offsets(of: columns.items)
    rowsByItem = CountingOrder.rows(of: columns.items)
  }

  static func degrees(_ offsets: [Int]) -> [Int] {
    zip(offsets.dropFirst(), offsets).map { $0 - $1 }
  }
}
