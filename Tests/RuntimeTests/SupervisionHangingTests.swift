import Runtime
import Testing

/// A leading coordinator, a server and a worker, all started at 0 on a virtual clock. The hang time
/// is ten seconds.
@Suite struct SupervisionHangingTests {
  private static let coordinator = 0
  private static let server = 1

  private func group(hang: Double = 10, limit: Int = 4) -> Supervision {
    Supervision(
      roles: ["coordinator", "server", "worker"], leader: Self.coordinator,
      limits: .init(grace: 5, stop: 20, notice: 30, settle: 2, hang: hang),
      policy: RestartPolicy(limit: limit, firstDelay: 1), at: 0)
  }

  /// Lets time pass in which these children send life signs, with a tick every `step` seconds.
  /// Returns the actions with their times.
  private func pass(
    _ group: inout Supervision, from start: Double, to end: Double, step: Double = 1,
    signs: [Int] = []
  ) -> [(time: Double, action: Supervision.Action)] {
    stride(from: start + step, through: end, by: step).flatMap { now in
      for index in signs { #expect(group.handle(.alive(index: index), at: now).isEmpty) }
      return group.handle(.tick, at: now).map { (now, $0) }
    }
  }

  @Test("a child without life signs is killed after the hang time, not before, and restarted")
  func killed() {
    for index in [Self.coordinator, Self.server] {
      var group = group()
      let others = [0, 1, 2].filter { $0 != index }
      #expect(pass(&group, from: 0, to: 100, signs: [0, 1, 2]).isEmpty)
      let done = pass(&group, from: 100, to: 110, signs: others)
      #expect(done.map(\.time) == [110])
      #expect(done.map(\.action) == [.killHung(index: index, silence: 10)])
      #expect(
        group.handle(.ended(index: index, .signal(9)), at: 110)
          == [.announce(index: index, .restarts(after: 1, count: 1))])
      #expect(group.handle(.tick, at: 111) == [.start(index: index)])
      #expect(group.culprit == nil)
      // The restarted process has the whole time again.
      let next = pass(&group, from: 111, to: 130, signs: others)
      #expect(next.isEmpty, "it has not sent its first life sign")
      #expect(pass(&group, from: 130, to: 131, signs: [0, 1, 2]).isEmpty)
      #expect(pass(&group, from: 131, to: 141, signs: others).map(\.time) == [141])
    }
  }

  @Test("rare life signs are enough if they come within the hang time")
  func rareSigns() {
    var group = group()
    for start in stride(from: 0.0, to: 500, by: 9.5) {
      #expect(pass(&group, from: start, to: start + 9, signs: []).isEmpty)
      #expect(pass(&group, from: start + 9, to: start + 9.5, step: 0.5, signs: [0, 1, 2]).isEmpty)
    }
  }

  @Test("a process that never sent a life sign does not count as hanging")
  func neverGave() {
    var group = group()
    #expect(pass(&group, from: 0, to: 1000, signs: [0]).isEmpty)
  }

  @Test("with a hang time of 0 no child is killed")
  func never() {
    var group = group(hang: 0)
    _ = pass(&group, from: 0, to: 1, signs: [0, 1, 2])
    #expect(pass(&group, from: 1, to: 10_000).isEmpty)
  }

  @Test("time in which the launcher itself was stopped does not count")
  func ownPause() {
    var group = group()
    #expect(pass(&group, from: 0, to: 5, signs: [0, 1, 2]).isEmpty)
    // All processes were stopped for an hour, and the launcher is the first to continue.
    #expect(group.handle(.tick, at: 3605).isEmpty)
    #expect(pass(&group, from: 3605, to: 3606, signs: [0, 1, 2]).isEmpty)
    // Repeatedly, as on an overloaded machine.
    var now = 3606.0
    for _ in 0..<100 {
      now += 100
      _ = group.handle(.tick, at: now)
      #expect(pass(&group, from: now, to: now + 1, signs: [0, 1, 2]).isEmpty)
      now += 1
    }
    // A child without life signs while the launcher runs is still detected.
    let done = pass(&group, from: now, to: now + 10, signs: [0, 2])
    #expect(done.map(\.action) == [.killHung(index: Self.server, silence: 10)])
  }

  @Test("life signs sent while the launcher was stopped count afterwards")
  func waitingSigns() {
    var group = group()
    for now in stride(from: 1.0, to: 1000, by: 50) {
      for index in 0..<3 { _ = group.handle(.alive(index: index), at: now) }
      #expect(group.handle(.tick, at: now).isEmpty)
    }
  }

  @Test("a child that a kill does not end at once is killed again, a hang time later")
  func stuckInDisk() {
    var group = group()
    _ = pass(&group, from: 0, to: 1, signs: [0, 1, 2])
    let done = pass(&group, from: 1, to: 24, signs: [0, 2])
    #expect(done.map(\.time) == [11, 22])
  }

  @Test("without restarts a hanging child ends the run as a killed one does")
  func withoutRestarts() {
    var group = group(limit: 0)
    _ = pass(&group, from: 0, to: 1, signs: [0, 1, 2])
    let done = pass(&group, from: 1, to: 11, signs: [0, 2])
    #expect(done.map(\.action) == [.killHung(index: Self.server, silence: 10)])
    #expect(
      group.handle(.ended(index: Self.server, .signal(9)), at: 11)
        == [.announce(index: Self.server, .runEnds)])
  }

  @Test("once the run is ending, its deadlines decide and not the hang time")
  func ending() {
    var group = group()
    _ = pass(&group, from: 0, to: 1, signs: [0, 1, 2])
    #expect(group.handle(.signal(2), at: 1) == [.signal(index: Self.coordinator, 2)])
    let done = pass(&group, from: 1, to: 20.5, step: 0.5)
    #expect(done.isEmpty)
    #expect(pass(&group, from: 20.5, to: 21, step: 0.5).count == 3)
  }
}
