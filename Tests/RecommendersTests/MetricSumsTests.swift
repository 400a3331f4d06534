import Recommenders
import Tensors
import Testing

/// Users with items at the given ranks (from 1) of one list, in which item r − 1 has rank r; the
/// rest of each user's m items has ranks far below.
private func sums(
  _ users: [(ranks: [Int], truthCount: Int)], cutoffs: [Int],
  metrics: [Metric] = Metric.standard
) throws -> MetricSums {
  let itemCount = 300
  var pairs: [(Int32, Int32)] = []
  for (user, truth) in users.enumerated() {
    let missed = (200..<200 + truth.truthCount - truth.ranks.count).map { $0 + 1 }
    for rank in truth.ranks + missed { pairs.append((Int32(user), Int32(rank - 1))) }
  }
  let truth = AdjacencyList(rowCount: users.count, columnCount: itemCount, pairs: pairs)
  return try FullRanking(cutoffs: cutoffs, metrics: metrics).evaluate(
    userMatrix: Matrix(
      rows: users.count, columns: 1, elements: [Float](repeating: 1, count: users.count)),
    firstUser: 0,
    itemMatrix: Matrix(rows: itemCount, columns: 1, elements: (0..<itemCount).map { -Float($0) }),
    trainMask: AdjacencyList(
      rowCount: users.count, columnCount: itemCount, pairs: [(Int32, Int32)]()),
    splits: [EvaluationSplit(name: "test", truth: truth)])[0]
}

@Test(
  "the worked example's values at every cutoff",
  arguments: [
    (1, 0.361111, 0.666667, 0.666667, 0.666667), (2, 0.472222, 0.666667, 0.5, 0.583333),
    (5, 0.611111, 0.656185, 0.333333, 0.537778), (10, 0.638889, 0.622348, 0.2, 0.501111),
    (20, 0.638889, 0.609090, 0.1, 0.491667),
  ])
func workedExample(
  cutoff: Int, recall: Double, ndcg: Double, precision: Double, map: Double
) throws {
  let sums = try sums([([2, 4], 3), ([1], 1), ([1, 5, 10], 12)], cutoffs: [1, 2, 5, 10, 20])
  let expected: [(Metric, Double)] = [
    (.recall, recall), (.ndcg, ndcg), (.precision, precision), (.map, map),
  ]
  for (metric, value) in expected {
    let found = try #require(sums.value(metric, at: cutoff))
    #expect(abs(found - value) < 1e-6, "\(metric.name(at: cutoff))")
  }
}

@Test("recall divides by all of a user's items, NDCG and MAP by at most K")
func moreItemsThanTheCutoff() throws {
  let sums = try sums([([2, 4], 3), ([1], 1), ([1, 5, 10], 60)], cutoffs: [50])
  let expected: [(Metric, Double)] = [
    (.recall, 0.572222), (.ndcg, 0.542709), (.map, 0.455778),
  ]
  for (metric, value) in expected {
    let found = try #require(sums.value(metric, at: 50))
    #expect(abs(found - value) < 1e-6, "\(metric)")
  }
}

@Test("hit and MRR of the worked example, by hand")
func firstHits() throws {
  // First hits at ranks 2, 1, 1 and 3.
  let sums = try sums(
    [([2, 4], 3), ([1], 1), ([1, 5, 10], 12), ([3], 1)], cutoffs: [1, 2, 4],
    metrics: [.hit, .mrr])
  #expect(sums.values()["hit@1"] == 0.5 && sums.values()["mrr@1"] == 0.5)
  #expect(sums.values()["hit@2"] == 0.75 && sums.values()["mrr@2"] == 0.625)
  let mrr = try #require(sums.value(.mrr, at: 4))
  #expect(sums.value(.hit, at: 4) == 1 && abs(mrr - 17.0 / 24) < 1e-15)
}

@Test("merged sums are the sums over both groups of users")
func merging() throws {
  let first = [(ranks: [2, 4], truthCount: 3)]
  let second = [(ranks: [1], truthCount: 1), (ranks: [3], truthCount: 2)]
  var merged = try sums(first, cutoffs: [5, 10])
  merged.merge(try sums(second, cutoffs: [5, 10]))
  let together = try sums(first + second, cutoffs: [5, 10])
  #expect(merged.userCount == 3)
  for (name, value) in together.values() {
    let mergedValue = try #require(merged.values()[name])
    #expect(abs(mergedValue - value) < 1e-12, "\(name)")
  }
}

@Test("sums that are reported as named numbers keep every bit")
func keyedRoundTrip() throws {
  let sums = try sums([([2, 4], 3), ([1], 1)], cutoffs: [5, 20])
  #expect(sums.keyed["test.users"] == 2)
  #expect(sums.keyed["test.recall@5"] == 2.0 / 3 + 1)
  #expect(Set(sums.keyed.keys).isSuperset(of: ["test.ndcg@20", "test.map@5", "test.precision@20"]))
  #expect(try MetricSums(split: "test", cutoffs: [5, 20], keyed: sums.keyed) == sums)
}

@Test(
  "a report without a sum, or with an impossible one, is refused by name",
  arguments: [nil, -1.0, Double.nan, .infinity])
func malformedSums(value: Double?) throws {
  var keyed = try sums([([2], 3)], cutoffs: [5]).keyed
  keyed["test.map@5"] = value
  let error = #expect(throws: EvaluationError.self) {
    try MetricSums(split: "test", cutoffs: [5], keyed: keyed)
  }
  #expect(error?.description.contains("test.map@5") == true)
}

@Test("a number of users that is not whole, or too large, is refused", arguments: [0.5, 1e18])
func malformedUserCount(count: Double) throws {
  var keyed = try sums([([2], 3)], cutoffs: [5]).keyed
  keyed["test.users"] = count
  let error = #expect(throws: EvaluationError.self) {
    try MetricSums(split: "test", cutoffs: [5], keyed: keyed)
  }
  #expect(error == .invalidSum(name: "test.users", found: count))
}

@Test("a cutoff that was not summed has no mean, and no users have zeros")
func missingMeans() throws {
  let none = MetricSums(split: "valid", cutoffs: [20, 5, 20])
  #expect(none.cutoffs == [5, 20])
  #expect(none.value(.recall, at: 10) == nil)
  #expect(none.value(.recall, at: 20) == 0)
  #expect(none.values()["ndcg@5"] == 0)
}
