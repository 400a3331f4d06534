import Recommenders
import Tensors
import TestSupport
import Testing

@Suite struct BlockRecommenderTests {
  private static func matrix(rows: Int, columns: Int, seed: UInt64) -> Matrix {
    var generator = SeededGenerator(seed: seed)
    let matrix = Matrix(rows: rows, columns: columns)
    for index in 0..<matrix.count {
      matrix.elements[index] = Float.random(in: -1...1, using: &generator)
    }
    return matrix
  }

  @Test("a user gets the same items and scores alone and in a block, without those excluded")
  func blocks() throws {
    let items = Self.matrix(rows: 9000, columns: 24, seed: 1)
    let users = Self.matrix(rows: BlockRecommender.blockSize, columns: 24, seed: 2)
    let excluded = (0..<users.rows).map { user in
      ReadOnlyArray((0..<Int32(user)).map { $0 * 7 })
    }
    let recommender = BlockRecommender(items: items, count: 20)
    let all = try recommender.top(for: users, excluding: excluded) { "user \($0)" }
    #expect(all.count == users.rows && all.allSatisfy { $0.count == 20 })
    for user in [0, 1, 77, users.rows - 1] {
      let vector = Array(users.elements)[user * 24..<(user + 1) * 24]
      let alone = Matrix(rows: 1, columns: 24, elements: Array(vector))
      let single = try recommender.top(for: alone, excluding: [excluded[user]]) { _ in "" }
      #expect(single == [all[user]])
      #expect(Set(all[user].map { Int32($0.item) }).isDisjoint(with: excluded[user]))
      let expected = try Recommender(items: items).top(
        20, for: Array(vector), excluding: Array(excluded[user]))
      #expect(expected.map(\.item) == all[user].map(\.item))
    }
  }

  @Test("a score that is not finite is an error with the name of the user")
  func notFinite() {
    let items = Matrix(rows: 2, columns: 1, elements: [1, .nan])
    let users = Matrix(rows: 2, columns: 1, elements: [1, 1])
    let error = #expect(throws: EvaluationError.self) {
      try BlockRecommender(items: items, count: 1).top(for: users, excluding: [[], []]) {
        "user \($0 + 5)"
      }
    }
    #expect(error?.description.contains("user 5") == true)
  }
}
