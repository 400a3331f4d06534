import Datasets
import Tensors

/// The users that the evaluations of a run are measured on where all would take too long: the same
/// in every evaluation, a function of the seed and the data alone. Each of them ranks all items.
///
/// A larger sample of the same seed has all users of a smaller one.
package struct EvaluationSample: Sendable, Equatable {
  /// Ascending ids of users with items in a split.
  package let users: [Int32]

  /// Beyond the epochs of training, whose permutations it must not repeat.
  private static let epoch = Int(UInt32.max)

  /// - Parameter count: the most users of the sample; 0 for all.
  /// - Returns: nil if all users are to be measured.
  package init?(of dataset: Dataset, count: Int, seed: UInt64) {
    guard count > 0 else { return nil }
    let isMeasured = { user in dataset.valid.degree(user) + dataset.test.degree(user) > 0 }
    let measuredCount = (0..<dataset.userCount).count(where: isMeasured)
    guard count < measuredCount else { return nil }
    let order = Permutation(count: measuredCount, seed: seed, epoch: Self.epoch)
    // Positions among the measured users: there may be too many of these for a list.
    var rest = (0..<count).map { order[$0] }.sorted()[...]
    var position = 0
    var users: [Int32] = []
    for user in 0..<dataset.userCount where isMeasured(user) {
      guard let next = rest.first else { break }
      if position == next {
        users.append(Int32(user))
        rest = rest.dropFirst()
      }
      position += 1
    }
    self.users = users
  }
}

extension AdjacencyList {
  /// The rows of a sample; the others are empty.
  func rows(of sample: EvaluationSample) -> AdjacencyList {
    AdjacencyList(
      rowCount: rowCount, columnCount: columnCount,
      pairs: sample.users.flatMap { user in self[Int(user)].map { (user, $0) } })
  }
}

/// The names under which the precision of a sample's means is recorded. They are split names of
/// their own, like those of groups, so that every record has room for them.
package enum SampleSplit {
  private static let squares = " squares"
  private static let standardError = " standard_error"

  /// Of the sums of squares of a split.
  package static func squares(of split: String) -> String { split + squares }

  /// Of the standard errors of a split's means: `valid standard_error`.
  package static func standardError(of split: String) -> String { split + standardError }

  /// Of the standard error of a mean such as `valid.recall@20`; nil for a name without a split.
  package static func standardErrorName(of name: String) -> String? {
    let parts = name.split(separator: ".", maxSplits: 1)
    return parts.count == 2 ? "\(standardError(of: String(parts[0]))).\(parts[1])" : nil
  }

  /// The split whose squares have this name; nil for any other.
  package static func ofSquares(_ name: String) -> String? {
    name.hasSuffix(squares) ? String(name.dropLast(squares.count)) : nil
  }

  /// s/√n of n values with this sum and sum of squares, with s² = (Σx² − (Σx)²/n) / (n − 1).
  ///
  /// - Precondition: `count >= 2`.
  package static func standardError(sum: Double, squares: Double, count: Double) -> Double {
    (max(0, squares - sum * sum / count) / (count - 1) / count).squareRoot()
  }
}
