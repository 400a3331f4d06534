import Foundation
import Recommenders

/// The plain implementation of the ranking: all scores of a user in a list, sorted, and the metrics
/// written as in their definitions.
enum BruteForceRanking {
  static func best(
    _ count: Int, of scores: [Float], excluding excluded: Set<Int>
  ) -> [RankedItem] {
    let ranked = scores.indices.filter { !excluded.contains($0) }
      .sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    return ranked.prefix(count).map { RankedItem(item: $0, score: scores[$0]) }
  }

  /// One metric of one user.
  static func value(
    _ metric: Metric, at cutoff: Int, list: [Int], truth: Set<Int>
  ) -> Double {
    let hits = (1...cutoff).map { rank in
      rank <= list.count && truth.contains(list[rank - 1]) ? 1.0 : 0.0
    }
    func hitsUpTo(_ rank: Int) -> Double { hits[0..<rank].reduce(0, +) }
    let best = min(cutoff, truth.count)
    switch metric.name {
    case "recall": return hitsUpTo(cutoff) / Double(truth.count)
    case "precision": return hitsUpTo(cutoff) / Double(cutoff)
    case "ndcg":
      let gain = (1...cutoff).map { hits[$0 - 1] * discount($0) }.reduce(0, +)
      return gain / (1...best).map(discount).reduce(0, +)
    case "map":
      let terms = (1...cutoff).map { hits[$0 - 1] * hitsUpTo($0) / Double($0) }
      return terms.reduce(0, +) / Double(best)
    case "hit": return hits.contains(1) ? 1 : 0
    case "mrr": return (1...cutoff).first { hits[$0 - 1] == 1 }.map { 1 / Double($0) } ?? 0
    default: return .nan
    }
  }

  private static func discount(_ rank: Int) -> Double { 1 / log2(Double(rank + 1)) }
}
