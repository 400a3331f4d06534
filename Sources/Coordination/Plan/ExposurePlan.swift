public import Evaluation
import Messages

/// What a ranking counts of the lists of all users together.
public struct ExposurePlan: Sendable, Equatable {
  /// Of the catalogue.
  public let itemCount: Int
  /// What every block of users counts.
  public let keys: [Exposure.Key]
  /// What is made of the counts.
  public let metrics: [Metric]
  /// Bytes that the counts of a block take in a report at most.
  let bytesPerBlock: Int

  /// - Parameters:
  ///   - metrics: of the run.
  ///   - cutoffs: of the metrics.
  ///   - usersPerBlock: of the ranking.
  /// - Returns: nil if no metric needs counts.
  public init?(metrics: [Metric], cutoffs: [Int], itemCount: Int, usersPerBlock: Int) {
    self.metrics = metrics.filter { !$0.isPerUser }
    guard !self.metrics.isEmpty else { return nil }
    self.itemCount = itemCount
    let names = EvaluationSplit.names
    keys = [names.valid, names.test].flatMap { split in
      Set(cutoffs).sorted().map { Exposure.Key(split: split, cutoff: $0) }
    }
    bytesPerBlock = keys.reduce(0) { sum, key in
      // A number takes one byte, and one more for every power of 128 that it reaches. Gaps add up
      // to the number of items at most, counts to the length of all lists.
      let places = usersPerBlock * min(key.cutoff, itemCount)
      let entries = min(places, itemCount)
      return sum + 2 * entries + (itemCount + places) / 127 + Self.bytesPerName
    }
  }

  /// Name, lengths and tags of counts in a message, generously.
  private static let bytesPerName = 128
  /// Room in a message for everything else that is said of a block, generously.
  private static let otherBytesPerBlock = 16 << 10

  /// How many blocks one task has at most, so that their reports fit one message; 0 if not even
  /// one fits.
  var blocksPerTask: Int {
    WireLimits.standard.headerBytes / (bytesPerBlock + Self.otherBytesPerBlock)
  }
}
