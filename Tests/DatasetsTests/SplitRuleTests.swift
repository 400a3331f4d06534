import Datasets
import Testing

@Suite("split rule")
struct SplitRuleTests {
  @Test(
    "the sizes follow MMRec's rule",
    arguments: [
      (3, 1, 1, 1), (5, 3, 1, 1), (9, 7, 1, 1), (10, 8, 1, 1), (14, 12, 1, 1), (15, 12, 1, 2),
      (20, 16, 2, 2), (25, 20, 2, 3), (101, 81, 10, 10),
    ])
  func followsTheRule(count: Int, train: Int, valid: Int, test: Int) {
    let labels = SplitRule.labels(count: count, user: 4, seed: 1)
    #expect(labels.count { $0 == .train } == train)
    #expect(labels.count { $0 == .valid } == valid)
    #expect(labels.count { $0 == .test } == test)
  }

  @Test("splits differ between users and seeds, and are the same for equal ones")
  func dependsOnUserAndSeed() {
    let first = SplitRule.labels(count: 40, user: 1, seed: 1)
    #expect(first == SplitRule.labels(count: 40, user: 1, seed: 1))
    #expect(first != SplitRule.labels(count: 40, user: 2, seed: 1))
    #expect(first != SplitRule.labels(count: 40, user: 1, seed: 2))
  }

  @Test("every position is held out equally often")
  func isUniform() {
    var heldOut = [Int](repeating: 0, count: 10)
    for user in 0..<5000 {
      for (position, label) in SplitRule.labels(count: 10, user: user, seed: 3).enumerated()
      where label != .train {
        heldOut[position] += 1
      }
    }
    // Mean 1000, standard deviation 28.
    #expect(heldOut.allSatisfy { abs($0 - 1000) < 140 }, "\(heldOut)")
  }
}
