import Datasets

/// The shares of training, validation and test, which add up to 1.
package struct SplitRatios: Sendable, Equatable {
  package let train: Double
  package let valid: Double
  package let test: Double

  /// What is used where nothing is asked for.
  package static let standard = SplitRatios(train: 0.8, valid: 0.1, test: 0.1)

  private init(train: Double, valid: Double, test: Double) {
    self.train = train
    self.valid = valid
    self.test = test
  }

  /// Reads three numbers such as `0.8,0.1,0.1` or `8,1,1`, which are divided by their sum.
  ///
  /// - Throws: ``SplitRequestError`` if they are not three numbers above 0.
  package init(parsing text: String) throws(SplitRequestError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { Double($0.filter { $0 != " " }) }
    let numbers = parts.compactMap { $0 }
    let sum = numbers.reduce(0, +)
    guard parts.count == 3, numbers.count == 3, numbers.allSatisfy({ $0 > 0 }), sum.isFinite else {
      throw SplitRequestError(
        "the ratios are '\(text)'; expected three numbers above 0 for training, validation and "
          + "test, such as 0.8,0.1,0.1")
    }
    self.init(train: numbers[0] / sum, valid: numbers[1] / sum, test: numbers[2] / sum)
  }

  /// How many of `count` interactions go to validation and to test; the rest is for training.
  ///
  /// By largest remainder: each part gets the whole part of its share, and what is left goes, one
  /// by one, to the parts with the largest fractions. Among equal fractions `key` decides, so that
  /// over many users neither validation nor test is preferred. Training gets at least one.
  ///
  /// - Parameter key: random bits of the user.
  /// - Precondition: `count >= 0`.
  package func heldOut(of count: Int, key: UInt64) -> (valid: Int, test: Int) {
    let shares = [train, valid, test].map { $0 * Double(count) }
    // A share such as 0.1 × 30 may come out slightly above or below the whole number.
    var counts = shares.map { Int(($0 + 1e-9).rounded(.down)) }
    let fractions = zip(shares, counts).map { $0 - Double($1) }
    let testFirst = key & 1 == 1
    let order = (testFirst ? [0, 2, 1] : [0, 1, 2]).enumerated().sorted { a, b in
      let difference = fractions[a.element] - fractions[b.element]
      return abs(difference) > 1e-9 ? difference > 0 : a.offset < b.offset
    }
    for part in order.prefix(max(0, count - counts.reduce(0, +))) { counts[part.element] += 1 }
    if count > 0, counts[0] == 0 { counts[counts[1] > counts[2] ? 1 : 2] -= 1 }
    return (counts[1], counts[2])
  }

  /// The numbers as they are recorded, `0.8,0.1,0.1`.
  package var text: String {
    [train, valid, test].map { "\(($0 * 1e6).rounded() / 1e6)" }.joined(separator: ",")
  }
}

/// A split or subset that cannot be made as it was asked for: a sentence for the command line.
package struct SplitRequestError: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
