import Foundation
import Recommenders
import Tensors
import Testing

private let cutoffs = [1, 5, 20, 50]

/// The metrics as in their definitions, from whole lists.
private enum Plain {
  static func coverage(_ lists: [[Int]], itemCount: Int) -> Double {
    Double(Set(lists.joined()).count) / Double(itemCount)
  }

  /// Half the mean difference of two different items' counts, relative to the mean count.
  static func gini(_ lists: [[Int]], itemCount: Int) -> Double {
    var counts = [Int](repeating: 0, count: itemCount)
    for item in lists.joined() { counts[item] += 1 }
    let total = counts.reduce(0, +)
    guard itemCount > 1, total > 0 else { return 0 }
    var differences = 0
    for left in counts { for right in counts { differences += abs(left - right) } }
    return Double(differences) / Double(2 * (itemCount - 1) * total)
  }

  /// In bits, from the places that every item has.
  static func entropy(_ lists: [[Int]]) -> Double {
    let places = lists.joined().reduce(into: [Int: Double]()) { $0[$1, default: 0] += 1 }
    let total = places.values.reduce(0, +)
    return places.values.reduce(0) { $0 + $1 / total * log2(total / $1) }
  }

  /// The mean over the users' lists of the mean over the items of a list.
  static func mean(_ lists: [[Int]], _ value: (Int) -> Double) -> Double {
    let means = lists.map { list in
      list.isEmpty ? 0 : list.map(value).reduce(0, +) / Double(list.count)
    }
    return means.reduce(0, +) / Double(max(1, lists.count))
  }

  /// The items that are left when the most popular are taken away, with all of the same count at a
  /// time, until at least 80 % of the interactions are.
  static func tail(_ counts: [Int]) -> Set<Int> {
    var rest = Set(counts.indices)
    let total = counts.reduce(0, +)
    while let most = rest.map({ counts[$0] }).max(), most > 0,
      rest.reduce(0, { $0 + counts[$1] }) * 5 > total
    {
      rest = rest.filter { counts[$0] < most }
    }
    return rest
  }

  static func popularity(_ lists: [[Int]], train: AdjacencyList) -> Double {
    let means = lists.map { list in
      let counts = list.map { item in
        (0..<train.rowCount).count { train.contains(row: $0, column: Int32(item)) }
      }
      return counts.isEmpty ? 0 : Double(counts.reduce(0, +)) / Double(counts.count)
    }
    return means.reduce(0, +) / Double(max(1, lists.count))
  }
}

@Test(
  "metrics of what is recommended equal those of all lists written out",
  arguments: [1, 9, 63, 65, 300, 1100])
func bruteForceCatalogue(itemCount: Int) throws {
  let data = RandomRankingData(userCount: 24, itemCount: itemCount, seed: 7)
  let sums = try data.sums(FullRanking(cutoffs: cutoffs, metrics: Metric.all))
  let counts = (0..<itemCount).map { item in
    (0..<data.train.rowCount).count { data.train.contains(row: $0, column: Int32(item)) }
  }
  let tail = Plain.tail(counts)
  for (split, found) in zip(data.splits, sums) {
    let users = (0..<data.users.rows).filter { split.truth.degree($0) > 0 }
    let lists = users.map { user in
      BruteForceRanking.best(
        50, of: (0..<itemCount).map { data.score(user, $0) },
        excluding: Set(data.train[user].map { Int($0) })
      ).map(\.item)
    }
    for cutoff in cutoffs {
      let lists = lists.map { Array($0.prefix(cutoff)) }
      #expect(
        found.value(.coverage, at: cutoff) == Plain.coverage(lists, itemCount: itemCount))
      #expect(found.value(.gini, at: cutoff) == Plain.gini(lists, itemCount: itemCount))
      let popularity = try #require(found.value(.popularity, at: cutoff))
      #expect(abs(popularity - Plain.popularity(lists, train: data.train)) < 1e-9)
      let entropy = try #require(found.value(.entropy, at: cutoff))
      #expect(abs(entropy - Plain.entropy(lists)) < 1e-12)
      let novelty = try #require(found.value(.novelty, at: cutoff))
      let expected = Plain.mean(lists) { log2(24 / Double(max(1, counts[$0]))) }
      #expect(abs(novelty - expected) < 1e-12)
      let share = try #require(found.value(.tail, at: cutoff))
      #expect(abs(share - Plain.mean(lists) { tail.contains($0) ? 1 : 0 }) < 1e-12)
    }
  }
}

@Test(
  "counts of blocks add up to the same digits in any order and size", arguments: [1, 7, 29, 30])
func exposureBlocks(blockSize: Int) throws {
  let data = RandomRankingData(userCount: 30, itemCount: 400, seed: 13)
  let ranking = FullRanking(cutoffs: cutoffs, metrics: [.coverage, .gini, .entropy])
  let whole = try data.sums(ranking)
  var merged = data.splits.map {
    MetricSums(split: $0.name, metrics: ranking.metrics, cutoffs: cutoffs, itemCount: 400)
  }
  for start in stride(from: 0, to: 30, by: blockSize).reversed() {
    let block = try data.sums(ranking, users: start..<min(start + blockSize, 30))
    for index in merged.indices { merged[index].merge(block[index]) }
  }
  #expect(merged == whole)
  // The counts in the form in which they are reported: only items that have any.
  for sums in whole {
    for (name, exposure) in sums.keyedExposures {
      var copy = Exposure(itemCount: 400)
      let isComplete = copy.add(exposure.nonzero)
      #expect(isComplete, "\(name)")
      #expect(copy == exposure, "\(name)")
    }
  }
}

@Test("Gini is 0 where all items are recommended equally often, and 1 where a single one is")
func giniExtremes() {
  func gini(_ counts: [UInt32]) -> Double? {
    var exposure = Exposure(itemCount: counts.count)
    let pairs = counts.enumerated().map { (item: UInt32($0), count: $1) }
    let isComplete = exposure.add(pairs)
    #expect(isComplete)
    return exposure.values(of: [.gini], at: 5)["gini@5"]
  }
  #expect(gini([7, 7, 7]) == 0)
  #expect(gini([0, 9, 0, 0]) == 1)
  #expect(gini([1, 3]) == 0.5)
  #expect(gini([4]) == 0)
  #expect(gini([0, 0]) == 0)
  #expect(gini([.max, .max, 0, 0]).map { abs($0 - 2.0 / 3) < 1e-15 } == true)
}

@Test("entropy is 0 bits for a single item, and log2 of the items where all are alike")
func entropyExtremes() {
  func entropy(_ counts: [UInt32]) -> Double? {
    var exposure = Exposure(itemCount: counts.count)
    let isComplete = exposure.add(counts.enumerated().map { (item: UInt32($0), count: $1) })
    #expect(isComplete)
    return exposure.values(of: [.entropy], at: 5)["entropy@5"]
  }
  #expect(entropy([3, 3, 3, 3]) == 2)
  #expect(entropy([0, 9, 0]) == 0)
  #expect(entropy([2, 1, 1]) == 1.5)
  #expect(entropy([0, 0]) == 0)
}

@Test("the long tail and the self-information of items, by hand")
func popularityByHand() {
  func popularity(_ counts: [Int], users: Int) -> ItemPopularity {
    let pairs = counts.enumerated().flatMap { item, count in
      (0..<count).map { (Int32($0), Int32(item)) }
    }
    return ItemPopularity(
      train: AdjacencyList(rowCount: users, columnCount: counts.count, pairs: pairs))
  }
  // 20 interactions: items 0 and 1 have 16 of them, exactly 80 %.
  let uneven = popularity([8, 8, 2, 1, 1, 0], users: 16)
  #expect(uneven.counts == [8, 8, 2, 1, 1, 0])
  #expect(uneven.isTail == [false, false, true, true, true, true])
  #expect(uneven.selfInformation == [1, 1, 3, 4, 4, 4])
  // Four of the five have 80 %, but equal items stay together.
  #expect(popularity([3, 3, 3, 3, 3], users: 4).isTail == [false, false, false, false, false])
  // 7 + 2 are 75 % of 12, so those with 1 belong to the short head as well.
  #expect(
    popularity([7, 2, 1, 1, 1, 0], users: 7).isTail.map { $0 ? 1 : 0 } == [0, 0, 0, 0, 0, 1])
  #expect(popularity([0, 0], users: 3).isTail == [true, true])
}

@Test("an item outside the catalogue is not counted")
func foreignItem() {
  var exposure = Exposure(itemCount: 3)
  let isComplete = exposure.add([(item: 3, count: 1)])
  #expect(!isComplete)
  #expect(exposure.nonzero.isEmpty)
}

@Test("more metrics do not change the others, and single users have no exposure")
func additionalMetrics() throws {
  let data = RandomRankingData(userCount: 30, itemCount: 200, seed: 5)
  let few = try data.sums(FullRanking(cutoffs: cutoffs))
  let all = try data.sums(FullRanking(cutoffs: cutoffs, metrics: Metric.all))
  for (few, all) in zip(few, all) {
    #expect(few.exposures.isEmpty)
    for (name, value) in few.values() { #expect(all.values()[name] == value, "\(name)") }
  }
  let each = try FullRanking(cutoffs: [5], metrics: Metric.all).evaluateEachUser(
    userMatrix: data.users, firstUser: 0, itemMatrix: data.items, trainMask: data.train,
    splits: data.splits)
  let names = [
    "recall", "ndcg", "precision", "map", "hit", "mrr", "popularity", "novelty", "tail",
  ]
  #expect(each[0].names == names.map { "\($0)@5" })
}

@Test("every metric has a name of its own in lower case, and names are listed in one order")
func metricNames() {
  let names = Metric.all.map(\.name)
  #expect(Set(names).count == names.count)
  #expect(names.allSatisfy { name in name.allSatisfy { $0.isLowercase && $0.isASCII } })
  #expect(Metric.standard.map(\.name) == ["recall", "ndcg", "precision", "map"])
  #expect(
    Metric.sorted(["gini@5", "map@20", "recall@50", "other@1", "recall@5"])
      == ["recall@5", "recall@50", "map@20", "gini@5", "other@1"])
  #expect(Metric.ofValue("coverage@20") == .coverage)
  #expect(Metric.ofValue("coverage2@20") == nil)
}
