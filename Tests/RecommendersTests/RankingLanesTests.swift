import Recommenders
import Tensors
import Testing

@Suite("A ranking on lanes")
struct RankingLanesTests {
  @Test("has the same bits for any number of lanes", arguments: [2, 30, 129])
  func sameBits(userCount: Int) throws {
    let data = RandomRankingData(userCount: userCount, itemCount: 700, seed: 5)
    let ranking = FullRanking(cutoffs: [5, 20], usersPerTile: 8, itemsPerTile: 256)
    let sums = try [1, 2, 3, 5].map { count in
      try Lanes.$ofScope.withValue(Lanes(count: count)) { try data.sums(ranking) }
    }
    #expect(sums.allSatisfy { $0 == sums[0] })
    #expect(sums[0].contains { $0.userCount > 0 })
  }

  @Test("names the first user with a score that is not finite, as one thread does")
  func firstError() throws {
    let data = RandomRankingData(userCount: 90, itemCount: 300, seed: 5)
    for user in [25, 60, 89] { data.users[user, 0] = .nan }
    let ranking = FullRanking(cutoffs: [5], usersPerTile: 8, itemsPerTile: 256)
    let errors = [1, 2, 3, 5].map { count in
      Lanes.$ofScope.withValue(Lanes(count: count)) {
        #expect(throws: EvaluationError.self) { try data.sums(ranking) }
      }.map { "\($0)" }
    }
    #expect(Set(errors).count == 1)
    #expect(errors[0]?.contains("user 25:") == true)
  }
}
