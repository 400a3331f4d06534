import Protocol
import Testing

@Suite("Staleness counts as named sums")
struct StalenessCountsTests {
  @Test("sums of many gradients add up to counts, mean and maximum")
  func sums() throws {
    var sums: [String: Double] = ["loss.total": 3]
    for staleness: UInt64 in [0, 0, 2, 64, 2] {
      for (name, value) in StalenessCounts(staleness).sums { sums[name, default: 0] += value }
    }
    let counts = try #require(StalenessCounts(sums))
    #expect(counts.count == 5)
    #expect(counts.mean == 13.6)
    #expect(counts.greatest == 64)
    #expect(sums["staleness.2"] == 2)
    var both = counts
    both.add(StalenessCounts(7))
    #expect(both.count == 6 && both.mean == 12.5)
  }

  @Test("the displayed values are derived from the sums")
  func values() throws {
    let values = StalenessCounts(3).values
    #expect(values["staleness.mean"] == 3 && values["staleness.max"] == 3)
    #expect(StalenessCounts(values) == StalenessCounts(3))
  }

  @Test("beyond 64 the next power of two is counted, and no number traps")
  func buckets() {
    for (staleness, bucket) in [(65, 128), (128, 128), (129, 256), (1024, 1024)]
      as [(UInt64, UInt64)]
    {
      #expect(StalenessCounts(staleness).greatest == bucket)
    }
    #expect(StalenessCounts(.max).greatest >= 1 << 63)
  }

  @Test("sums without staleness give no counts")
  func none() {
    #expect(StalenessCounts(["loss.total": 1, "stat.x": 2, "staleness.many": 1]) == nil)
  }

  @Test("the next due version of a plan comes after the one at hand, if there is one")
  func nextDue() {
    let plan = CheckpointPlan(folder: "f", interval: 3)
    #expect([0, 1, 2, 3, 5, 6].map { plan.nextDue(after: $0) } == [3, 3, 3, 6, 6, 9])
    #expect(CheckpointPlan(folder: "f", interval: 0).nextDue(after: 4) == nil)
    #expect(CheckpointPlan(folder: "f", interval: .max).nextDue(after: .max) == nil)
    #expect(plan.nextDue(after: .max) == nil)
  }
}
