internal import Foundation
import Tensors

/// How often each item of the catalogue is in the training interactions, and what follows from it.
public struct ItemPopularity: Sendable, Equatable {
  /// The number of training interactions of each item, `[I]`.
  public let counts: [Int32]
  /// log₂(U / count) of each item in bits, `[I]`: U is the number of users of the data set. Items
  /// without training interactions are counted as if they had one.
  public let selfInformation: [Double]
  /// Whether an item is of the long tail, `[I]`: the items that are not of the short head. That is
  /// the smallest set of the most popular items that has at least 80 % of all training interactions
  /// and, for each of its items, all items of the same count, so that ids decide nothing.
  ///
  /// - Source: the 80 % are those of Abdollahpouri, Burke and Mobasher 2017; Elliot and WarpRec cut
  ///   within equal counts.
  public let isTail: [Bool]

  /// - Parameter train: the training interactions, `[U, I]`.
  public init(train: AdjacencyList) {
    var counts = [Int32](repeating: 0, count: train.columnCount)
    for item in train.columns { counts[Int(item)] += 1 }
    let users = Double(max(1, train.rowCount))
    selfInformation = counts.map { log2(users / Double(max(1, $0))) }
    let fewest = Self.fewestOfHead(counts)
    isTail = counts.map { $0 < fewest }
    self.counts = counts
  }

  /// The least count of an item of the short head.
  private static func fewestOfHead(_ counts: [Int32]) -> Int32 {
    let total = counts.reduce(0) { $0 + Int($1) }
    var sum = 0
    for count in counts.sorted(by: >) where count > 0 {
      sum += Int(count)
      // Whole numbers: 80 % are exact.
      if 5 * sum >= 4 * total { return count }
    }
    return 1
  }
}
