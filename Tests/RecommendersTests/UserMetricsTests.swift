import Recommenders
import Tensors
import Testing

@Test(
  "the values of single users, averaged in the same blocks, have the bits of the evaluation",
  arguments: [1, 7, 16, 1000])
func userMetricsReproduceSums(blockSize: Int) throws {
  let data = RandomRankingData(userCount: 40, itemCount: 300, seed: 17)
  let ranking = FullRanking(cutoffs: [1, 5, 20])
  var totals = data.splits.map { _ in [String: Double]() }
  var users = data.splits.map { _ in 0 }
  for start in stride(from: 0, to: 40, by: blockSize) {
    let block = try data.sums(ranking, users: start..<min(start + blockSize, 40))
    for (index, sums) in block.enumerated() {
      users[index] += sums.userCount
      for name in sums.names {
        totals[index][name, default: 0] += sums.keyed["\(sums.split).\(name)"] ?? .nan
      }
    }
  }
  let each = try ranking.evaluateEachUser(
    userMatrix: data.users, firstUser: 0, itemMatrix: data.items, trainMask: data.train,
    splits: data.splits)
  for (index, metrics) in each.enumerated() {
    #expect(metrics.split == data.splits[index].name)
    #expect(metrics.users == (0..<40).filter { data.splits[index].truth.degree($0) > 0 })
    let means = totals[index].mapValues { $0 / Double(users[index]) }
    #expect(metrics.means(blockSize: blockSize) == means)
  }
}

@Test("a user's values are found by name, in the order of the users")
func userMetricsByName() throws {
  var metrics = UserMetrics(split: "test", names: ["recall@5", "ndcg@5"])
  metrics.append(user: 3, [0.5, 0.25])
  metrics.append(user: 8, [1, 0.75])
  #expect(metrics.values(of: "ndcg@5") == [0.25, 0.75])
  #expect(metrics.values(of: "map@5") == nil)
  #expect(metrics.users == [3, 8])
  #expect(Array(metrics.row(1)) == [1, 0.75])
  #expect(metrics.means(blockSize: 4) == ["recall@5": 0.75, "ndcg@5": 0.5])
}

@Test("over no users all means are zero")
func userMetricsOfNobody() {
  #expect(UserMetrics(split: "test", names: ["map@1"]).means(blockSize: 8) == ["map@1": 0])
}
