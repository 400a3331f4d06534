import Recommenders
import Tensors
import Testing

private let cutoffs = [1, 5, 20, 50]

@Test(
  "all metrics equal those of sorting every user's scores: ties, masked items, short lists",
  arguments: [1, 9, 63, 64, 65, 300, 1100, 2500])
func bruteForce(itemCount: Int) throws {
  let data = RandomRankingData(userCount: 24, itemCount: itemCount, seed: 7)
  let metrics = Metric.standard + [.hit, .mrr]
  let sums = try data.sums(FullRanking(cutoffs: cutoffs, metrics: metrics))
  for (split, found) in zip(data.splits, sums) {
    var expected: [String: Double] = [:]
    var userCount = 0
    for user in 0..<data.users.rows where split.truth.degree(user) > 0 {
      userCount += 1
      let list = BruteForceRanking.best(
        50, of: (0..<itemCount).map { data.score(user, $0) },
        excluding: Set(data.train[user].map { Int($0) }))
      for metric in metrics {
        for cutoff in cutoffs {
          expected[metric.name(at: cutoff), default: 0] += BruteForceRanking.value(
            metric, at: cutoff, list: list.map(\.item),
            truth: Set(split.truth[user].map { Int($0) }))
        }
      }
    }
    #expect(found.userCount == userCount)
    for (name, value) in expected {
      let mean = try #require(found.values()[name])
      #expect(abs(mean - value / Double(max(1, userCount))) < 1e-12, "\(split.name) \(name)")
    }
  }
}

@Test(
  "the result has the same bits for any tile size",
  arguments: [1, 5, 128], [1, 7, 64, 1100, 8192])
func tileSizes(usersPerTile: Int, itemsPerTile: Int) throws {
  let data = RandomRankingData(userCount: 30, itemCount: 1500, seed: 11)
  let expected = try data.sums(FullRanking(cutoffs: cutoffs))
  let tiled = FullRanking(
    cutoffs: cutoffs, usersPerTile: usersPerTile, itemsPerTile: itemsPerTile)
  #expect(try data.sums(tiled) == expected)
}

@Test("merged blocks of users equal the result over all users", arguments: [1, 7, 29])
func userBlocks(blockSize: Int) throws {
  let data = RandomRankingData(userCount: 30, itemCount: 400, seed: 13)
  let ranking = FullRanking(cutoffs: cutoffs)
  var merged = data.splits.map { MetricSums(split: $0.name, cutoffs: cutoffs) }
  for start in stride(from: 0, to: 30, by: blockSize) {
    let block = try data.sums(ranking, users: start..<min(start + blockSize, 30))
    for index in merged.indices { merged[index].merge(block[index]) }
  }
  for (merged, whole) in zip(merged, try data.sums(ranking)) {
    #expect(merged.userCount == whole.userCount)
    for (name, value) in whole.values() {
      let mean = try #require(merged.values()[name])
      #expect(abs(mean - value) < 1e-12, "\(name)")
    }
  }
}

@Test("blocks that share their memory have the results of blocks with memory of their own")
func sharedMemory() throws {
  let data = RandomRankingData(userCount: 30, itemCount: 1500, seed: 17)
  let ranking = FullRanking(cutoffs: cutoffs, metrics: Metric.all)
  let items = RankedItems(data.items, splits: data.splits)
  for block in [0..<12, 12..<13, 13..<30] {
    let users = Matrix(
      rows: block.count, columns: data.users.columns,
      elements: block.flatMap { Array(data.users.row($0)) })
    let sums = try ranking.evaluate(
      userMatrix: users, users: .consecutive(from: block.lowerBound), among: items,
      trainMask: data.train, popularity: ranking.popularity(data.train))
    #expect(try sums == data.sums(ranking, users: block))
  }
}

@Test("a training item never counts as found, even if no other item is left to rank")
func maskedItems() throws {
  let all = AdjacencyList(rowCount: 1, columnCount: 3, pairs: [(0, 0), (0, 1), (0, 2)])
  let sums = try FullRanking(cutoffs: [5]).evaluate(
    userMatrix: Matrix(rows: 1, columns: 1, elements: [1]), firstUser: 0,
    itemMatrix: Matrix(rows: 3, columns: 1, elements: [1, 2, 3]), trainMask: all,
    splits: [EvaluationSplit(name: "test", truth: all)])
  #expect(sums[0].userCount == 1)
  #expect(sums[0].value(.recall, at: 5) == 0)
}

@Test(
  "a score that is not finite names the user and the item",
  arguments: [Float.nan, .infinity, -.infinity], [0, 700, 1199])
func scoresThatAreNotFinite(value: Float, place: Int) throws {
  let data = RandomRankingData(userCount: 6, itemCount: 1200, seed: 3)
  data.users.fill(1)
  for item in 0..<1200 { for column in 0..<4 { data.items[item, column] = 1 } }
  let user = try #require((0..<6).first { data.splits[0].truth.degree($0) > 0 })
  let item = try #require(
    (0..<1200).filter { !data.train.contains(row: user, column: Int32($0)) }
      .min { abs($0 - place) < abs($1 - place) })
  data.items[item, 2] = value
  let error = #expect(throws: EvaluationError.self) {
    try data.sums(FullRanking(cutoffs: [5]))
  }
  let message = try #require(error?.description)
  #expect(message.contains("user ") && message.contains("item \(item) "))
  #expect(message.contains("learning_rate"))
}

@Test("a block beyond the known users, or vectors of another width, are refused")
func shapes() throws {
  let data = RandomRankingData(userCount: 6, itemCount: 20, seed: 3)
  for (rows, firstUser, width) in [(6, 1, 4), (6, -1, 4), (6, .max, 4), (6, 0, 5)] {
    #expect(throws: EvaluationError.self) {
      try FullRanking(cutoffs: [5]).evaluate(
        userMatrix: Matrix(rows: rows, columns: width), firstUser: firstUser,
        itemMatrix: data.items, trainMask: data.train, splits: data.splits)
    }
  }
}
