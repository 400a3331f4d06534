internal import Tensors

/// Looks items of a ranked list up in the truth of several splits at once: one byte per item, one
/// bit per split, set for one user at a time.
struct TruthMarks {
  private let splits: [EvaluationSplit]
  private var marks: [UInt8]
  /// For each split, the ranks (from 1) of the hits last found, ascending.
  private(set) var hitRanks: [[Int]]

  /// - Precondition: at most eight splits.
  init(itemCount: Int, splits: [EvaluationSplit]) {
    precondition(splits.count <= UInt8.bitWidth, "\(splits.count) splits at once")
    self.splits = splits
    marks = [UInt8](repeating: 0, count: itemCount)
    hitRanks = splits.map { _ in [] }
  }

  /// Finds the ranks in `list` at which the user's items stand.
  mutating func findHits(of user: Int, in list: some Collection<RankedItem>) {
    for (bit, split) in splits.enumerated() {
      hitRanks[bit].removeAll(keepingCapacity: true)
      for item in split.truth[user] { marks[Int(item)] |= 1 << UInt8(bit) }
    }
    var rank = 0
    for entry in list {
      rank += 1
      let found = marks[entry.item]
      guard found != 0 else { continue }
      for bit in splits.indices where found >> UInt8(bit) & 1 == 1 { hitRanks[bit].append(rank) }
    }
    for split in splits {
      for item in split.truth[user] { marks[Int(item)] = 0 }
    }
  }
}
