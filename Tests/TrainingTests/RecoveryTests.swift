import Messages
import Testing
import Training

@Suite struct RecoveryTests {
  @Test("whatever is lost, repeated, killed or moved, a run ends in the bits of an undisturbed one")
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
      // Some runs with one kind of fault alone, which others might hide.
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
}
