import Datasets
import Foundation
import Recommenders
import Tensors
import Testing

/// Evaluations that are measured on some users.
@Suite struct EvaluationSampleTests {
  private static func dataset() throws -> Dataset {
    var configuration = SyntheticConfiguration()
    configuration.users = 80
    configuration.items = 60
    configuration.interactionsPerUser = 12
    return try SyntheticData(configuration).dataset()
  }

  @Test("a sample is a function of the seed, and a larger one has all of a smaller one")
  func isSeeded() throws {
    let dataset = try Self.dataset()
    func users(_ count: Int, seed: UInt64 = 3) -> [Int32]? {
      EvaluationSample(of: dataset, count: count, seed: seed)?.users
    }
    let some = try #require(users(20))
    #expect(some == Set(some).sorted() && some.count == 20)
    #expect(users(20) == some)
    #expect(users(20, seed: 4) != some)
    #expect(try Set(some).isSubset(of: #require(users(50))))
    #expect(users(0) == nil && users(80) == nil && users(1000) == nil)
  }

  @Test("the splits hold the sample's users alone, and the sums have what errors need")
  func measures() throws {
    let dataset = try Self.dataset()
    let sample = try #require(EvaluationSample(of: dataset, count: 20, seed: 3))
    let splits = dataset.evaluationSplits(groups: true, sample: sample)
    for (split, whole) in zip(splits, [dataset.valid, dataset.test]) {
      for user in 0..<80 {
        let expected = sample.users.contains(Int32(user)) ? Array(whole[user]) : []
        #expect(Array(split.truth[user]) == expected)
      }
    }
    let random = CounterRandom(seed: 5, stream: .generator)
    func vectors(_ rows: Int, id: Int) -> Matrix {
      Matrix(
        rows: rows, columns: 4,
        elements: (0..<rows * 4).map { random.uniform(id: id, index: $0) - 0.5 })
    }
    let (all, items) = (vectors(80, id: 0), vectors(60, id: 1))
    let some = Matrix(
      rows: 20, columns: 4, elements: sample.users.flatMap { Array(all.row(Int($0))) })
    let ranking = FullRanking(cutoffs: [5, 20], metrics: Metric.all)
    let sums = try ranking.evaluate(
      userMatrix: some, users: .listed(sample.users[...]),
      among: RankedItems(items, splits: splits), trainMask: dataset.train,
      popularity: ranking.popularity(dataset.train))
    #expect(ranking.sumCount(of: splits) == sums.reduce(0) { $0 + $1.keyed.count })
    let each = try ranking.evaluateEachUser(
      userMatrix: all, firstUser: 0, itemMatrix: items, trainMask: dataset.train, splits: splits)
    for (sum, users) in zip(sums, each) {
      #expect(
        sum.values().filter { users.means(blockSize: .max)[$0.key] != nil }
          == users.means(blockSize: .max))
    }
    let keyed = sums[1].keyed
    let values = try #require(each[1].values(of: "recall@20"))
    let mean = values.reduce(0, +) / 20
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19
    let error = SampleSplit.standardError(
      sum: try #require(keyed["test.recall@20"]),
      squares: try #require(keyed["test squares.recall@20"]), count: 20)
    #expect(error > 0 && abs(error - (variance / 20).squareRoot()) < 1e-12)
    #expect(SampleSplit.standardErrorName(of: "test.recall@20") == "test standard_error.recall@20")
  }

  @Test("users that the interactions do not have are refused")
  func refusesOthers() throws {
    let dataset = try Self.dataset()
    let ranking = FullRanking(cutoffs: [5])
    let items = Matrix(rows: 60, columns: 4)
    for users in [[0, 80], [-1, 0], [0]] as [[Int32]] {
      #expect(throws: EvaluationError.self) {
        _ = try ranking.evaluate(
          userMatrix: Matrix(rows: 2, columns: 4), users: .listed(users[...]),
          among: RankedItems(items, splits: dataset.evaluationSplits(groups: false)),
          trainMask: dataset.train, popularity: nil)
      }
    }
  }
}
