import Tensors

/// The split of one user's interactions into train, validation and test.
///
///     n < 10:   n − 2 train, 1 validation, 1 test
///     n ≥ 10:   v + t = ⌊n / 5⌋, v = ⌊(v + t) / 2⌋, the rest is for training
///
/// The assignment is uniformly random. The reference toolbox splits the same way, but without a
/// seed; here it depends on the seed and the user.
///
/// - Source: MMRec's preprocessing.
public enum SplitRule {
  /// Fewer interactions than this leave fewer than three for training.
  public static let smallestCount = 5

  /// How many interactions of a user with `count` of them go to validation and to test.
  ///
  /// - Precondition: `count >= 3`.
  public static func heldOut(of count: Int) -> (valid: Int, test: Int) {
    precondition(count >= 3, "a split of \(count) interactions")
    guard count >= 10 else { return (1, 1) }
    let both = count / 5
    return (both / 2, both - both / 2)
  }

  /// One label per interaction of a user, `[count]`.
  ///
  /// - Precondition: `count >= 3`.
  public static func labels(count: Int, user: Int, seed: UInt64) -> [SplitLabel] {
    let (valid, test) = heldOut(of: count)
    let random = CounterRandom(seed: seed, stream: .split)
    var labels = [SplitLabel](repeating: .train, count: count)
    for index in 0..<valid { labels[index] = .valid }
    for index in valid..<valid + test { labels[index] = .test }
    // Fisher–Yates.
    for index in stride(from: count - 1, to: 0, by: -1) {
      labels.swapAt(index, random.integer(below: index + 1, id: user, index: index))
    }
    return labels
  }
}

/// What an interaction is used for; the raw values are those of the column `x_label`.
public enum SplitLabel: UInt8, Sendable, CaseIterable {
  case train = 0
  case valid = 1
  case test = 2
}
