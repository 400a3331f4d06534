internal import Foundation

/// What a hit at each rank is worth in NDCG.
struct RankDiscounts: Sendable {
  /// 1 / log₂(r + 1) at index r; index 0 is unused.
  let gain: [Double]
  /// The sum of the gains of ranks 1 … r at index r.
  let idealGain: [Double]

  /// - Precondition: `depth >= 0`.
  init(depth: Int) {
    var gain = [0.0]
    var idealGain = [0.0]
    for rank in stride(from: 1, through: depth, by: 1) {
      gain.append(1 / log2(Double(rank + 1)))
      idealGain.append(idealGain[rank - 1] + gain[rank])
    }
    self.gain = gain
    self.idealGain = idealGain
  }
}
