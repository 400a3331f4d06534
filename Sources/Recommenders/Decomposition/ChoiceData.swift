import Datasets
internal import Foundation
import Tensors

/// Users' choices among all items: what the predictors of a decomposition are fitted to.
///
/// An event is an interaction (u, i) of a split. Its candidates are all items but those of the
/// user's history, which is the user's training interactions; y is which candidate the user took.
/// Measured are events of held-out items among held-out items, see ``ChoiceFold``.
package struct ChoiceData: Sendable {
  package let itemCount: Int
  /// `[U, I]`: training interactions.
  package let histories: AdjacencyList
  /// `[U, I]`: what hyperparameters are chosen on.
  package let valid: AdjacencyList
  /// `[U, I]`: what is measured.
  package let measured: AdjacencyList
  /// ln(1 + training interactions) per item, `[I]`.
  let logPopularity: [Float]

  /// The most users of a round of fitting, and of a validation: bounds the work on large data.
  static let mostUsers = 4096

  /// - Parameter measured: a held-out split of the data set.
  package init(_ dataset: Dataset, measuring measured: AdjacencyList) {
    self.init(histories: dataset.train, valid: dataset.valid, measured: measured)
  }

  package init(histories: AdjacencyList, valid: AdjacencyList, measured: AdjacencyList) {
    itemCount = histories.columnCount
    self.histories = histories
    self.valid = valid
    self.measured = measured
    var counts = [Int](repeating: 0, count: itemCount)
    for item in histories.columns { counts[Int(item)] += 1 }
    logPopularity = counts.map { Float(log(1 + Double($0))) }
  }

  package var userCount: Int { histories.rowCount }

  /// The interactions with some items only, which become 0, 1, ….
  ///
  /// - Parameter items: ascending, each once.
  package func restricted(to items: [Int32]) -> ChoiceData {
    var position = [Int32](repeating: -1, count: itemCount)
    for (index, item) in items.enumerated() { position[Int(item)] = Int32(index) }
    func restricted(_ list: AdjacencyList) -> AdjacencyList {
      var pairs: [(Int32, Int32)] = []
      for row in 0..<list.rowCount {
        for item in list[row] where position[Int(item)] >= 0 {
          pairs.append((Int32(row), position[Int(item)]))
        }
      }
      return AdjacencyList(rowCount: list.rowCount, columnCount: items.count, pairs: pairs)
    }
    return ChoiceData(
      histories: restricted(histories), valid: restricted(valid), measured: restricted(measured))
  }

  /// Users who have events in a split, ascending.
  static func users(of split: AdjacencyList) -> [Int] {
    (0..<split.rowCount).filter { split.degree($0) > 0 }
  }

  /// Users to validate on: all, or evenly spread ones.
  var validationUsers: [Int] {
    let users = Self.users(of: valid)
    let stride = (users.count + Self.mostUsers - 1) / Self.mostUsers
    return Swift.stride(from: 0, to: users.count, by: max(1, stride)).map { users[$0] }
  }

  /// The users of a round of fitting, with at least two training interactions, in random order.
  func order(round: Int, seed: UInt64) -> [Int] {
    let random = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.order.rawValue, step: round)
    let keyed = (0..<userCount).filter { histories.degree($0) > 1 }.map { user in
      (key: random.words(id: user).x, user: user)
    }
    return keyed.sorted { ($0.key, $0.user) < ($1.key, $1.user) }.prefix(Self.mostUsers).map(\.user)
  }

  /// One step of fitting: users whose training interactions are divided, at random, into a history
  /// and targets to predict from it.
  func batch(_ users: ArraySlice<Int>, round: Int, seed: UInt64) -> ChoiceBatch {
    let random = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.targets.rawValue, step: round)
    var batch = ChoiceBatch()
    for user in users {
      var kept: [Int32] = []
      var targets: [Int32] = []
      for item in histories[user] {
        // A fifth: histories stay nearly as long as those of the measurement.
        if random.uniform(id: user, index: Int(item)) < 0.2 {
          targets.append(item)
        } else {
          kept.append(item)
        }
      }
      if !targets.isEmpty { batch.append(history: kept, targets: targets) }
    }
    return batch
  }
}

/// Histories of some users, and which items each took.
package struct ChoiceBatch {
  package init() {}

  /// Ascending within a user; not among the user's candidates.
  package private(set) var histories: [[Int32]] = []
  package private(set) var targets: [[Int32]] = []
  private(set) var targetCount = 0

  var userCount: Int { histories.count }

  package mutating func append(history: [Int32], targets items: [Int32]) {
    histories.append(history)
    targets.append(items)
    targetCount += items.count
  }
}

extension SparseMatrix {
  /// The 0/1 matrix of some users' histories, `[histories.count, itemCount]`.
  convenience init(histories: [some Collection<Int32>], itemCount: Int) {
    var offsets: [Int64] = [0]
    var indices: [Int32] = []
    for history in histories {
      indices += history
      offsets.append(Int64(indices.count))
    }
    self.init(
      rows: histories.count, columns: itemCount, offsets: offsets, indices: indices,
      values: [Float](repeating: 1, count: indices.count))
  }
}
