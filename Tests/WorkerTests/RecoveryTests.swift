import Protocol
import Tables
import Testing
import Worker

@Suite struct RecoveryTests {
  @Test("with any loss, repetition, kill or move, a run ends with the bits of an undisturbed one")
  func randomFaults() throws {
    let run = try SmallRun()
    var undisturbed = FakeCluster(run, servers: 1, workers: 1, faults: .none, seed: 0)
    let hasEnded = undisturbed.runToTheEnd()
    try #require(hasEnded)
    let (rows, reports) = (undisturbed.rows, undisturbed.finished)
    #expect(undisturbed.violations.isEmpty)
    #expect(reports.allSatisfy { $0.allSatisfy { $0.sums["loss.total"] != nil } })
    for seed in 1..<200 as Range<UInt64> {
      var faults = FakeCluster.Faults.all
      // Some runs have only one kind of fault, because others might hide its effect.
      if seed % 4 == 1 { faults = .init(movedShard: 15) }
      if seed % 4 == 2 { faults = .init(lostMessage: 15, repeatedMessage: 15, movedShard: 60) }
      var cluster = FakeCluster(
        run, servers: Int(1 + seed % 3), workers: Int(1 + seed / 3 % 4), faults: faults, seed: seed)
      let hasEnded = cluster.runToTheEnd()
      #expect(hasEnded, "seed \(seed) is stuck")
      let violations = cluster.violations + cluster.servers.flatMap(\.violations)
      #expect(violations.isEmpty, "seed \(seed): \(violations.prefix(3))")
      let hasSameReports = cluster.finished == reports
      #expect(hasSameReports, "seed \(seed) has other sums")
      let hasSameRows = cluster.rows == rows
      #expect(hasSameRows, "seed \(seed) has other rows")
    }
  }

  @Test(
    "in ssp and async such a run ends too, and every gradient reports its staleness once",
    arguments: [
      .staleSynchronous(bound: 1), .staleSynchronous(bound: 3), .asynchronous,
    ] as [Consistency])
  func staleRows(consistency: Consistency) throws {
    let run = try SmallRun(consistency: consistency)
    var greatest: UInt64 = 0
    for seed in 1..<100 as Range<UInt64> {
      var cluster = FakeCluster(
        run, servers: Int(1 + seed % 3), workers: Int(1 + seed / 3 % 4), faults: .all, seed: seed)
      let hasEnded = cluster.runToTheEnd()
      #expect(hasEnded, "seed \(seed) is stuck")
      let violations = cluster.violations + cluster.servers.flatMap(\.violations)
      #expect(violations.isEmpty, "seed \(seed): \(violations.prefix(3))")
      for report in cluster.finished.joined() {
        let counts = try #require(StalenessCounts(report.sums))
        greatest = max(greatest, counts.greatest)
        #expect(counts.count == Double(run.versionsPerEpoch), "seed \(seed)")
      }
    }
    #expect(greatest > 0 && greatest <= consistency.bound ?? run.versionsPerEpoch)
  }
}
