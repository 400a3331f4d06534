internal import Foundation
import Tensors

/// The users that share most items with each user, and their weights.
///
/// - Source: Wang et al. 2021, "DualGNN", section 3.4, in the form of its reference code: the
///   softmax is over plain counts.
package struct UserNeighbours {
  /// How many neighbours a user has at most; the reference stores no more.
  package static let longestList = 200

  /// The neighbours of a user, most shared items first, of equal counts the smaller id first.
  private let lists: [[(user: Int32, count: Float)]]

  /// - Parameter sharedItems: counts of the nearest users, `[U, U]`.
  package init(sharedItems: SparseMatrix) {
    lists = (0..<sharedItems.rows).map { user in
      let entries = sharedItems.entries(ofRow: user).map { entry in
        (user: sharedItems.indices[entry], count: sharedItems.values[entry])
      }
      return entries.sorted { ($1.count, $0.user) < ($0.count, $1.user) }
    }
  }

  /// Each user's `count` nearest users and how many items they share, `[U, U]`.
  static func sharedItems(_ train: AdjacencyList, count: Int) -> SparseMatrix {
    var paths = PathCount(from: train, through: train.transposed)
    var nearest = CompressedRows(columns: train.rowCount)
    for user in 0..<train.rowCount {
      let others = paths.row(user).filter { $0.column != user }
      let best = others.sorted { ($1.count, $0.column) < ($0.count, $1.column) }.prefix(count)
      for (other, shared) in best.sorted(by: { $0.column < $1.column }) {
        nearest.append(other, Float(shared))
      }
      nearest.endRow()
    }
    return nearest.matrix()
  }

  /// Ω over the neighbours that each user has.
  package func weights() -> SparseMatrix { weights { _, users in Array(users.indices) } }

  /// Ω over `count` neighbours: users with fewer, but at least one, repeat some.
  package func paddedWeights(count: Int, seed: UInt64, epoch: Int) -> SparseMatrix {
    let random = CounterRandom(seed: seed, stream: .neighbourPadding, epoch: epoch)
    return weights { user, users in
      var chosen = Array(users.indices.prefix(count))
      while !chosen.isEmpty && chosen.count < count {
        let drawn = random.integer(below: chosen.count, id: user, index: chosen.count)
        chosen.append(chosen[drawn])
      }
      return chosen
    }
  }

  /// Softmax over chosen neighbours.
  ///
  /// - Parameter choose: for a user and the user's neighbours, nearest first, positions among the
  ///   neighbours; one that is named twice counts twice.
  package func weights(choosing choose: (_ user: Int, _ neighbours: [Int32]) -> [Int])
    -> SparseMatrix
  {
    var weights = CompressedRows(columns: lists.count)
    for (user, list) in lists.enumerated() {
      var times = [Double](repeating: 0, count: list.count)
      for place in choose(user, list.map(\.user)) { times[place] += 1 }
      let largest = Double(list.first?.count ?? 0)
      let shares = zip(times, list).map { $0 * exp(Double($1.count) - largest) }
      let total = shares.reduce(0, +)
      for place in list.indices.sorted(by: { list[$0].user < list[$1].user })
      where times[place] > 0 {
        weights.append(list[place].user, Float(shares[place] / total))
      }
      weights.endRow()
    }
    return weights.matrix()
  }
}
