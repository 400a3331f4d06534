import Recommenders
import Tensors
import Testing

/// Orders of scores that are difficult for a search of the best few.
enum ScoreOrder: CaseIterable, Sendable {
  case random, manyEqual, allEqual, ascending, descending, signedZeros

  func scores(_ count: Int) -> [Float] {
    let random = CounterRandom(seed: 5, stream: .generator)
    return (0..<count).map { item in
      switch self {
      case .random: random.uniform(id: item) - 0.5
      case .manyEqual: Float(random.integer(below: 9, id: item))
      case .allEqual: -1.5
      case .ascending: Float(item) * 1e-3 - 4
      case .descending: 1e30 / Float(item + 1)
      case .signedZeros: item % 2 == 0 ? 0 : -0.0
      }
    }
  }
}

@Test(
  "the best items are those of a full sort, for any depth and order of scores",
  arguments: ScoreOrder.allCases, [1, 20, 128, 129, 300, 5000, 30_000])
func bestItems(order: ScoreOrder, count: Int) throws {
  let scores = order.scores(20_000)
  let recommender = Recommender(items: Matrix(rows: scores.count, columns: 1, elements: scores))
  let excluded = stride(from: 1, to: 20_000, by: 37).map { Int32($0) } + [3, 0, 19_999]
  let found = try recommender.top(count, for: [1], excluding: excluded.reversed())
  let expected = BruteForceRanking.best(
    count, of: scores, excluding: Set(excluded.map { Int($0) }))
  #expect(found.map(\.item) == expected.map(\.item))
  #expect(found.map(\.score) == expected.map(\.score))
}

@Test("a user with nearly all items excluded gets only the remaining ones")
func fewItemsLeft() throws {
  let recommender = Recommender(items: Matrix(rows: 4, columns: 1, elements: [1, 4, 2, 3]))
  let found = try recommender.top(10, for: [2], excluding: [1, 2])
  #expect(found == [RankedItem(item: 3, score: 6), RankedItem(item: 0, score: 2)])
  #expect(try recommender.top(0, for: [2]).isEmpty)
}

@Test("a user vector of another width is refused")
func widths() throws {
  let recommender = Recommender(items: Matrix(rows: 4, columns: 2))
  let error = #expect(throws: EvaluationError.self) { try recommender.top(3, for: [1, 2, 3]) }
  #expect(error?.description.contains("[4, 2]") == true)
}
