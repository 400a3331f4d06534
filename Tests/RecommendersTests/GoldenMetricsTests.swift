import Foundation
import Recommenders
import Tensors
import Testing

/// The reference evaluator's numbers (`Tests/Fixtures/golden`): 12 users, 9 items, given scores.
private struct GoldenMetrics: Decodable {
  struct Array: Decodable {
    let shape: [Int]
    let data: [Float]
  }
  struct Split: Decodable {
    let unrounded: [String: [String: Double]]
  }
  let scores: Array
  let topk: [Int]
  let valid: Split
  let test: Split
}

private struct TinySplits: Decodable {
  struct Pairs: Decodable {
    let user: [Int32]
    let item: [Int32]
  }
  let U: Int
  let I: Int
  let train: Pairs
  let valid: Pairs
  let test: Pairs

  func list(_ pairs: Pairs) -> AdjacencyList {
    AdjacencyList(rowCount: U, columnCount: I, pairs: Array(zip(pairs.user, pairs.item)))
  }
}

private func fixture<Value: Decodable>(_ name: String) throws -> Value {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let file = folder.appending(path: "Fixtures/golden/\(name)")
  return try JSONDecoder().decode(Value.self, from: Data(contentsOf: file))
}

@Test("every metric at every cutoff equals the reference evaluator's, for both splits")
func goldenMetrics() throws {
  let golden: GoldenMetrics = try fixture("metrics.json")
  let tiny: TinySplits = try fixture("tiny.json")
  // Users' vectors are their rows of scores and items' vectors the unit vectors: the products are
  // the scores themselves.
  let users = Matrix(rows: tiny.U, columns: tiny.I, elements: golden.scores.data)
  let items = Matrix(rows: tiny.I, columns: tiny.I)
  for item in 0..<tiny.I { items[item, item] = 1 }

  let sums = try FullRanking(cutoffs: golden.topk).evaluate(
    userMatrix: users, firstUser: 0, itemMatrix: items, trainMask: tiny.list(tiny.train),
    splits: [
      EvaluationSplit(name: "valid", truth: tiny.list(tiny.valid)),
      EvaluationSplit(name: "test", truth: tiny.list(tiny.test)),
    ])

  #expect(sums.map(\.userCount) == [9, 11])
  for (split, expected) in zip(sums, [golden.valid, golden.test]) {
    for metric in Metric.standard {
      for cutoff in golden.topk {
        let reference = try #require(expected.unrounded[metric.name]?["\(cutoff)"])
        let ours = try #require(split.value(metric, at: cutoff))
        #expect(abs(ours - reference) < 1e-12, "\(split.split) \(metric.name(at: cutoff))")
      }
    }
  }
}
