import Runtime
import Testing

/// A leading coordinator, two servers and two workers, all started at 0.
@Suite struct SupervisionRestartTests {
  private static let coordinator = 0
  private static let server = 1
  private static let worker = 3
  private static let lost = ExitCode.signal(9)

  private func group(limit: Int = 4, window: Double = 60) -> Supervision {
    Supervision(
      roles: ["coordinator", "server", "server", "worker", "worker"], leader: Self.coordinator,
      limits: .init(grace: 5, stop: 20, notice: 30, settle: 2),
      policy: RestartPolicy(
        limit: limit, window: window, firstDelay: 1, longestDelay: 3, steadyAfter: 10), at: 0)
  }

  /// The child dies at `now`; its restart is announced, happens after the delay and not before.
  private func restarts(
    _ group: inout Supervision, _ index: Int, _ code: ExitCode = lost, at now: Double,
    after delay: Double, count: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let actions = group.handle(.ended(index: index, code), at: now)
    #expect(
      actions == [.announce(index: index, .restarts(after: delay, count: count))],
      sourceLocation: sourceLocation)
    #expect(group.nextDeadline == now + delay, sourceLocation: sourceLocation)
    #expect(
      group.handle(.tick, at: now + delay - 0.001).isEmpty, sourceLocation: sourceLocation)
    #expect(
      group.handle(.tick, at: now + delay) == [.start(index: index)],
      sourceLocation: sourceLocation)
    #expect(group.handle(.tick, at: now + delay).isEmpty, sourceLocation: sourceLocation)
    #expect(group.culprit == nil, sourceLocation: sourceLocation)
  }

  // MARK: Restarts

  @Test(
    "a child that was killed, crashed or exited with a transient code is restarted",
    arguments: [coordinator, server, worker], [.signal(9), .signal(11), ExitCode.transient])
  func comesBack(index: Int, code: ExitCode) {
    var group = group()
    restarts(&group, index, code, at: 5, after: 1, count: 1)
    #expect(!group.isDone)
  }

  @Test("the delay doubles with each death, up to the longest delay")
  func backOff() {
    var group = group(limit: 9)
    restarts(&group, Self.worker, at: 1, after: 1, count: 1)
    restarts(&group, Self.worker, at: 2, after: 2, count: 2)
    restarts(&group, Self.worker, at: 4, after: 3, count: 3)
    restarts(&group, Self.worker, at: 7, after: 3, count: 4)
  }

  @Test("the delay is short again after a long life, and not after a shorter one")
  func steadyLife() {
    var group = group()
    restarts(&group, Self.worker, at: 9, after: 1, count: 1)
    restarts(&group, Self.worker, at: 19.5, after: 2, count: 2)
    restarts(&group, Self.worker, at: 31.5, after: 1, count: 3)
  }

  @Test("each child has delays of its own")
  func ownDelays() {
    var group = group()
    restarts(&group, Self.worker, at: 1, after: 1, count: 1)
    restarts(&group, Self.server, at: 2, after: 1, count: 1)
  }

  @Test("several dead children are restarted, each at its time")
  func together() {
    var group = group()
    for index in [Self.coordinator, Self.server, Self.worker] {
      _ = group.handle(.ended(index: index, Self.lost), at: 1)
    }
    #expect(
      group.handle(.tick, at: 2) == [.start(index: 0), .start(index: 1), .start(index: 3)])
  }

  @Test("a start that fails is retried, later, and not for ever")
  func cannotStart() {
    var group = group(limit: 2)
    restarts(&group, Self.worker, at: 1, after: 1, count: 1)
    #expect(
      group.handle(.notStarted(index: Self.worker), at: 2)
        == [.announce(index: Self.worker, .restarts(after: 2, count: 2))])
    _ = group.handle(.tick, at: 4)
    #expect(
      group.handle(.notStarted(index: Self.worker), at: 4)
        == [.announce(index: Self.worker, .tooManyRestarts), .signal(index: 0, 15)])
  }

  // MARK: Failures that a restart does not fix

  @Test(
    "a process that traps twice soon after its start is not restarted",
    arguments: [(Int32(4), ExitCode.software), (5, .software), (8, .software), (31, .system)])
  func traps(signal: Int32, code: ExitCode) {
    var group = group()
    restarts(&group, Self.worker, .signal(signal), at: 100, after: 1, count: 1)
    #expect(
      group.handle(.ended(index: Self.worker, .signal(signal)), at: 103)
        == [.announce(index: Self.worker, .failsAgain), .signal(index: 0, 15)])
    _ = group.handle(.ended(index: 0, .terminated), at: 104)
    #expect(group.exitCode == code)
  }

  @Test("the same for the coordinator, after which there is no leader")
  func leaderTraps() {
    var group = group()
    restarts(&group, Self.coordinator, .signal(4), at: 1, after: 1, count: 1)
    #expect(
      group.handle(.ended(index: Self.coordinator, .signal(4)), at: 2.5)
        == [.announce(index: 0, .failsAgain)] + (1...4).map { .signal(index: $0, 15) })
    #expect(group.exitCode == .software)
  }

  @Test("two traps with a long life, or another death, between them do not end the run")
  func rareTraps() {
    var group = group(limit: 9)
    restarts(&group, Self.worker, .signal(4), at: 1, after: 1, count: 1)
    restarts(&group, Self.worker, .signal(4), at: 12.5, after: 1, count: 2)
    restarts(&group, Self.worker, .signal(9), at: 14, after: 2, count: 3)
    restarts(&group, Self.worker, .signal(4), at: 17, after: 3, count: 4)
  }

  @Test("a process that the kernel kills repeatedly for lack of memory ends the run")
  func memory() {
    var group = group(limit: 9, window: 60)
    for (now, delay, count) in [(1.0, 1.0, 1), (30, 1, 2)] {
      #expect(
        group.handle(.ended(index: Self.server, Self.lost, isOutOfMemory: true), at: now)
          == [.announce(index: Self.server, .restarts(after: delay, count: count))])
      #expect(group.handle(.tick, at: now + delay) == [.start(index: Self.server)])
    }
    #expect(
      group.handle(.ended(index: Self.server, Self.lost, isOutOfMemory: true), at: 50)
        == [.announce(index: Self.server, .failsAgain), .signal(index: 0, 15)])
    #expect(group.exitCode == .system)
  }

  @Test("kills for lack of memory that are far apart do not end the run")
  func rareMemory() {
    var group = group(limit: 9, window: 60)
    for count in 1...5 {
      let now = Double(count) * 31
      #expect(
        group.handle(.ended(index: Self.server, Self.lost, isOutOfMemory: true), at: now)
          == [.announce(index: Self.server, .restarts(after: 1, count: count))])
      #expect(group.handle(.tick, at: now + 1) == [.start(index: Self.server)])
    }
  }

  @Test("a start that the system refuses is retried a few times, then the run ends with 71")
  func refusedStarts() {
    var group = group(limit: 9)
    restarts(&group, Self.worker, at: 100, after: 1, count: 1)
    var now = 101.0
    for attempt in 2...5 {
      guard
        case .announce(_, .restarts(after: let delay, count: attempt)) =
          group.handle(.notStarted(index: Self.worker), at: now).first
      else {
        Issue.record("attempt \(attempt) is the last")
        return
      }
      now += delay
      #expect(group.handle(.tick, at: now) == [.start(index: Self.worker)])
    }
    #expect(
      group.handle(.notStarted(index: Self.worker), at: now)
        == [.announce(index: Self.worker, .failsAgain), .signal(index: 0, 15)])
    #expect(group.exitCode == .system)
  }

  @Test("a start that fails permanently, such as an unwritable log, is not retried")
  func impossibleStart() {
    var group = group()
    restarts(&group, Self.worker, at: 1, after: 1, count: 1)
    #expect(
      group.handle(.notStarted(index: Self.worker, .cannotCreate), at: 2)
        == [.announce(index: Self.worker, .failsAgain), .signal(index: 0, 15)])
    #expect(group.exitCode == .cannotCreate)
  }

  @Test("a group whose children are all dead is not done while a restart is planned")
  func allDead() {
    var group = Supervision(
      roles: ["worker"], leader: nil, policy: RestartPolicy(limit: 1), at: 0)
    _ = group.handle(.ended(index: 0, Self.lost), at: 1)
    #expect(!group.isDone)
    #expect(group.handle(.tick, at: 1.1) == [.start(index: 0)])
    #expect(group.handle(.ended(index: 0, .success), at: 2).isEmpty)
    #expect(group.isDone)
    #expect(group.exitCode == .success)
  }

  // MARK: The limit

  @Test("one death more than the limit within the window ends the run, the leader first")
  func limit() {
    var group = group(limit: 2)
    restarts(&group, Self.worker, at: 10, after: 1, count: 1)
    restarts(&group, Self.worker, at: 20, after: 2, count: 2)
    #expect(
      group.handle(.ended(index: Self.worker, Self.lost), at: 69.9)
        == [.announce(index: Self.worker, .tooManyRestarts), .signal(index: 0, 15)])
    #expect(
      group.handle(.ended(index: 0, .terminated), at: 71)
        == [.signal(index: 1, 15), .signal(index: 2, 15), .signal(index: 4, 15)])
    for index in [1, 2, 4] { _ = group.handle(.ended(index: index, .success), at: 72) }
    #expect(group.isDone)
    #expect(group.exitCode == .transient)
    #expect(group.culprit?.index == Self.worker)
    #expect(group.culprit?.exitCode == Self.lost)
  }

  @Test("restarts before the window do not count")
  func window() {
    var group = group(limit: 2)
    restarts(&group, Self.worker, at: 10, after: 1, count: 1)
    restarts(&group, Self.worker, at: 20, after: 2, count: 2)
    restarts(&group, Self.worker, at: 70, after: 1, count: 3)
    #expect(
      group.handle(.ended(index: Self.worker, Self.lost), at: 79.9).contains(
        .announce(index: Self.worker, .tooManyRestarts)))
  }

  @Test("each process has a limit of its own")
  func ownLimit() {
    var group = group(limit: 1)
    for index in 0..<5 { restarts(&group, index, at: 10, after: 1, count: 1) }
  }

  @Test("a leader that dies too often ends the run, and the others are terminated at once")
  func leaderLimit() {
    var group = group(limit: 1)
    restarts(&group, Self.coordinator, .transient, at: 10, after: 1, count: 1)
    let actions = group.handle(.ended(index: Self.coordinator, .transient), at: 12)
    #expect(
      actions == [.announce(index: 0, .tooManyRestarts)] + (1...4).map { .signal(index: $0, 15) })
    #expect(group.exitCode == .transient)
  }

  @Test(
    "a process that always dies at once reaches any limit",
    arguments: [(1, 1.0), (20, 60.0), (50, 600.0), (1000, 600.0), (100_000, 1.0)])
  func crashLoopEnds(limit: Int, window: Double) {
    var group = Supervision(
      roles: ["worker"], leader: nil, policy: RestartPolicy(limit: limit, window: window), at: 0)
    var now = 0.0
    var count = 0
    while !group.isDone, count <= limit {
      for action in group.handle(.ended(index: 0, .transient), at: now) {
        if case .announce(_, .restarts(let delay, _)) = action { now += delay }
      }
      if group.handle(.tick, at: now) == [.start(index: 0)] { count += 1 }
    }
    #expect(group.isDone)
    #expect(count == limit)
    #expect(now < window)
    #expect(group.exitCode == .transient)
  }

  // MARK: The end of the run

  @Test("a permanent failure ends the run with its code, however many restarts are left")
  func permanentFailure() {
    var group = group()
    let actions = group.handle(.ended(index: Self.worker, .dataMalformed), at: 1)
    #expect(actions == [.announce(index: Self.worker, .runEnds), .signal(index: 0, 15)])
    #expect(group.exitCode == .dataMalformed)
    #expect(group.culprit?.index == Self.worker)
  }

  @Test("after a permanent failure dead children are not restarted")
  func permanentFailureWhileWaiting() {
    var group = group()
    _ = group.handle(.ended(index: Self.coordinator, Self.lost), at: 1)
    _ = group.handle(.ended(index: Self.server, Self.lost), at: 1)
    #expect(
      group.handle(.ended(index: Self.worker, .failure), at: 1.5)
        == [
          .announce(index: Self.worker, .runEnds), .signal(index: 2, 15), .signal(index: 4, 15),
        ])
    #expect(group.handle(.tick, at: 3).isEmpty)
    _ = group.handle(.ended(index: 2, .success), at: 3)
    _ = group.handle(.ended(index: 4, .success), at: 3)
    #expect(group.isDone)
    #expect(group.exitCode == .failure)
  }

  @Test("a leader that has ended cancels planned restarts")
  func leaderDone() {
    var group = group()
    _ = group.handle(.ended(index: Self.worker, Self.lost), at: 1)
    #expect(group.handle(.ended(index: 0, .success), at: 1.5).isEmpty)
    #expect(group.handle(.tick, at: 2).isEmpty)
    for index in [1, 2, 4] { _ = group.handle(.ended(index: index, .success), at: 3) }
    #expect(group.isDone)
    #expect(group.exitCode == .success)
  }

  @Test("a child that dies after the leader has ended is not restarted")
  func diesAfterTheEnd() {
    var group = group()
    _ = group.handle(.ended(index: 0, .success), at: 1)
    #expect(group.handle(.ended(index: Self.worker, Self.lost), at: 1.1).isEmpty)
    #expect(group.handle(.tick, at: 3).isEmpty)
    #expect(group.exitCode == .success)
  }

  // MARK: The user's signals

  @Test("during a stop no child is restarted, and the leader's code is not a failure")
  func stop() {
    var group = group()
    #expect(group.handle(.signal(2), at: 1) == [.signal(index: 0, 2)])
    #expect(group.handle(.ended(index: Self.worker, Self.lost), at: 2).isEmpty)
    #expect(group.handle(.tick, at: 4).isEmpty)
    #expect(group.handle(.ended(index: 0, .interrupted), at: 4).isEmpty)
    for index in [1, 2, 4] { _ = group.handle(.ended(index: index, .success), at: 5) }
    #expect(group.isDone)
    #expect(group.exitCode == .interrupted)
  }

  @Test("a stop during the delay of a worker cancels its restart")
  func stopDuringBackOff() {
    var group = group()
    _ = group.handle(.ended(index: Self.worker, Self.lost), at: 1)
    #expect(group.handle(.signal(15), at: 1.5) == [.signal(index: 0, 15)])
    #expect(group.handle(.tick, at: 2).isEmpty)
    _ = group.handle(.ended(index: 0, .terminated), at: 3)
    for index in [1, 2, 4] { _ = group.handle(.ended(index: index, .success), at: 3) }
    #expect(group.isDone)
    #expect(group.exitCode == .terminated)
  }

  @Test("a stop while the leader is dead goes to all others and ends the run")
  func stopWithoutLeader() {
    var group = group()
    _ = group.handle(.ended(index: 0, Self.lost), at: 1)
    #expect(group.handle(.signal(15), at: 1.5) == (1...4).map { .signal(index: $0, 15) })
    #expect(group.handle(.tick, at: 2).isEmpty)
    for index in 1...3 { _ = group.handle(.ended(index: index, .success), at: 2) }
    // A child that ignores it gets a stronger signal.
    #expect(group.nextDeadline == 21.5)
    #expect(group.handle(.tick, at: 21.5) == [.signal(index: 4, 15)])
    #expect(group.handle(.tick, at: 26.5) == [.signal(index: 4, 9)])
    _ = group.handle(.ended(index: 4, Self.lost), at: 27)
    #expect(group.isDone)
    #expect(group.exitCode == .terminated)
    #expect(group.stopSignal == 15)
  }

  @Test("if the leader is killed while it stops the run, the others are not waited for")
  func leaderKilledWhileStopping() {
    var group = group()
    _ = group.handle(.signal(15), at: 1)
    #expect(
      group.handle(.ended(index: 0, Self.lost), at: 2) == (1...4).map { .signal(index: $0, 15) })
    for index in 1...4 { _ = group.handle(.ended(index: index, .success), at: 3) }
    #expect(group.exitCode == .terminated)
  }

  @Test("the second signal kills running children, and dead ones are not restarted")
  func secondSignal() {
    var group = group()
    _ = group.handle(.ended(index: 0, Self.lost), at: 1)
    _ = group.handle(.signal(2), at: 1.1)
    #expect(group.handle(.signal(2), at: 1.7) == (1...4).map { .signal(index: $0, 9) })
    for index in 1...4 { _ = group.handle(.ended(index: index, Self.lost), at: 1.8) }
    #expect(group.isDone)
    #expect(group.exitCode == .interrupted)
  }

  @Test("a leader that the user stopped directly has ended the run and is not restarted")
  func leaderAskedToStop() {
    var group = group()
    #expect(group.handle(.ended(index: 0, .terminated), at: 1).isEmpty)
    #expect(group.nextDeadline == 6)
    for index in 1...4 { _ = group.handle(.ended(index: index, .success), at: 1.1) }
    #expect(group.isDone)
    #expect(group.exitCode == .terminated)
    #expect(group.culprit == nil)
  }

  // MARK: Leaving with success

  @Test(
    "a worker that was asked to leave is not restarted, and the run continues without it",
    arguments: [ExitCode.success, .terminated, .interrupted])
  func leaves(code: ExitCode) {
    var group = group()
    #expect(group.handle(.ended(index: Self.worker, code), at: 1).isEmpty)
    #expect(group.handle(.tick, at: 2.9).isEmpty)
    #expect(group.handle(.tick, at: 3) == [.announce(index: Self.worker, .continuesWithout)])
    #expect(group.nextDeadline == nil)
    #expect(group.culprit == nil)
  }

  @Test("at the end of a run all leave before the leader: no notice and no action")
  func endOfRun() {
    var group = group()
    for index in 1...4 { #expect(group.handle(.ended(index: index, .success), at: 1).isEmpty) }
    #expect(group.handle(.tick, at: 2.9).isEmpty)
    #expect(group.handle(.ended(index: 0, .success), at: 2.9).isEmpty)
    #expect(group.isDone)
    #expect(group.exitCode == .success)
  }

  @Test("the last child of its role is restarted if it leaves while the leader runs")
  func lastOne() {
    var group = group()
    for index in [3, 4] { _ = group.handle(.ended(index: index, .success), at: 1) }
    #expect(
      group.handle(.tick, at: 3) == [
        .announce(index: 3, .restarts(after: 1, count: 1)), .announce(index: 4, .continuesWithout),
      ])
    #expect(group.handle(.tick, at: 4) == [.start(index: 3)])
  }

  @Test("a child may leave while another of its role is about to be restarted")
  func otherComesBack() {
    var group = group()
    _ = group.handle(.ended(index: 3, .success), at: 1)
    _ = group.handle(.ended(index: 4, Self.lost), at: 2.5)
    #expect(group.handle(.tick, at: 3) == [.announce(index: 3, .continuesWithout)])
  }
}
