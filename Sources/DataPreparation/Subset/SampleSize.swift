/// How many users or items a sample has: a number of them, or a share of all.
package enum SampleSize: Sendable, Equatable {
  case count(Int)
  /// Above 0 and below 1.
  case share(Double)

  /// Reads a whole number from 1 (`5000`), or a share (`0.1` or `10%`).
  ///
  /// - Parameter option: the option that the text is the value of, for the message.
  /// - Throws: ``SplitRequestError`` for anything else.
  package init(parsing text: String, option: String) throws(SplitRequestError) {
    if let count = Int(text), count >= 1 {
      self = .count(count)
      return
    }
    let isPercentage = text.hasSuffix("%")
    let number = Double(isPercentage ? String(text.dropLast()) : text)
    guard let share = number.map({ isPercentage ? $0 / 100 : $0 }), share > 0, share < 1 else {
      throw SplitRequestError(
        "\(option) is '\(text)'; expected a whole number from 1, or a share between 0 and 1 such "
          + "as 0.1")
    }
    self = .share(share)
  }

  /// The number that is asked for; nil for a share.
  var number: Int? {
    if case .count(let count) = self { count } else { nil }
  }

  /// How many of `total` are taken; at least one, if there is one.
  package func count(of total: Int) -> Int {
    switch self {
    case .count(let count): min(count, total)
    case .share(let share): min(total, max(1, Int((share * Double(total)).rounded())))
    }
  }

  /// Marks a sample among the ids that `occurs` marks: those with the smallest keys.
  ///
  /// Samples of one seed are nested: a smaller one is contained in every larger one.
  ///
  /// - Parameters:
  ///   - occurs: for each dense id, whether it can be taken.
  ///   - key: the random key of an id.
  package func sample(_ occurs: [Bool], key: (Int32) -> UInt64) -> [Bool] {
    var candidates = occurs.indices.filter { occurs[$0] }
      .map { (key: key(Int32(truncatingIfNeeded: $0)), id: $0) }
    let size = count(of: candidates.count)
    candidates.sort { $0.key != $1.key ? $0.key < $1.key : $0.id < $1.id }
    var isTaken = [Bool](repeating: false, count: occurs.count)
    for candidate in candidates.prefix(size) { isTaken[candidate.id] = true }
    return isTaken
  }

  /// As it is recorded: `5000` or `0.1`.
  package var text: String {
    switch self {
    case .count(let count): "\(count)"
    case .share(let share): "\(share)"
    }
  }
}
