import DataPreparation
import Testing

@Suite struct DuplicateRuleTests {
  /// The ratings of the rows that a rule keeps of one user with two items.
  private func kept(
    _ rule: DuplicateRule, items: [Int32], ratings: [Float], times: [Double]?
  ) -> [Float] {
    var columns = InteractionColumns(
      users: items.map { _ in 0 }, items: items, ratings: ratings, times: times)
    columns.sortByUserAndItem()
    columns.keep(rule.kept(of: columns))
    return columns.ratings ?? []
  }

  @Test("the rule decides by time, then by rating")
  func byTime() {
    let items: [Int32] = [5, 1, 5, 5, 1]
    let ratings: [Float] = [2, 9, 5, 3, 8]
    let times: [Double] = [30, 2, 20, 10, 2]
    // Item 1: equal times, so the higher rating. Item 5: times 30, 20, 10.
    #expect(kept(.first, items: items, ratings: ratings, times: times) == [9, 3])
    #expect(kept(.last, items: items, ratings: ratings, times: times) == [9, 2])
    #expect(kept(.highest, items: items, ratings: ratings, times: times) == [9, 5])
  }

  @Test("without times, the order of lines decides")
  func byLine() {
    let items: [Int32] = [5, 5, 5]
    let ratings: [Float] = [2, 5, 3]
    #expect(kept(.first, items: items, ratings: ratings, times: nil) == [2])
    #expect(kept(.last, items: items, ratings: ratings, times: nil) == [3])
    #expect(kept(.highest, items: items, ratings: ratings, times: nil) == [5])
  }

  @Test("an unknown rating is lower than every other")
  func unknownRatings() {
    for ratings in [[Float.nan, 2], [2, .nan]] {
      #expect(kept(.highest, items: [1, 1], ratings: ratings, times: [1, 2]) == [2])
    }
  }

  @Test("a repetition is found")
  func repetition() {
    #expect(
      DuplicateRule.firstRepetition(
        in: InteractionColumns(users: [0, 0, 1], items: [1, 2, 2])) == nil)
    #expect(
      DuplicateRule.firstRepetition(
        in: InteractionColumns(users: [0, 1, 1], items: [1, 2, 2])) == 2)
    #expect(DuplicateRule.firstRepetition(in: InteractionColumns(users: [], items: [])) == nil)
  }
}
