import Runtime
import Testing

/// Without restarts.
@Suite struct SupervisionTests {
  private let limits = Supervision.Limits(grace: 5, stop: 20, notice: 30)

  private func group(_ count: Int = 3, leader: Int? = 0) -> Supervision {
    Supervision(
      roles: (0..<count).map { "role \($0)" }, leader: leader, limits: limits, at: 0)
  }

  @Test("all end with success: the group succeeds, and no child is signalled")
  func success() {
    var group = group()
    for index in 0..<3 { #expect(group.handle(.ended(index: index, .success), at: 1).isEmpty) }
    #expect(group.isDone)
    #expect(group.exitCode == .success)
  }

  @Test("a permanent failure terminates the leader, then the others, and kills those that stay")
  func failure() {
    var group = group()
    let first = group.handle(.ended(index: 1, .dataMalformed), at: 10)
    #expect(first == [.announce(index: 1, .runEnds), .signal(index: 0, 15)])
    #expect(group.handle(.tick, at: 14.9).isEmpty)
    #expect(group.handle(.ended(index: 0, .terminated), at: 14.9) == [.signal(index: 2, 15)])
    #expect(group.handle(.tick, at: 19.8).isEmpty)
    #expect(group.handle(.tick, at: 19.9) == [.signal(index: 2, 9)])
    _ = group.handle(.ended(index: 2, .signal(9)), at: 20)
    #expect(group.isDone)
    #expect(group.exitCode == .dataMalformed)
    #expect(group.culprit?.index == 1)
  }

  @Test("the leader's exit code takes precedence over those of its nodes")
  func verdict() {
    var group = group()
    _ = group.handle(.ended(index: 2, .failure), at: 10)
    _ = group.handle(.ended(index: 0, .software), at: 10)
    _ = group.handle(.ended(index: 1, .failure), at: 10)
    #expect(group.exitCode == .software)
    #expect(group.culprit?.index == 0)
  }

  @Test("a leader that ignores SIGTERM does not keep the others")
  func stubbornLeader() {
    var group = group()
    _ = group.handle(.ended(index: 1, .failure), at: 10)
    #expect(group.handle(.tick, at: 15) == [.signal(index: 0, 15), .signal(index: 2, 15)])
    #expect(group.handle(.tick, at: 20) == [.signal(index: 0, 9), .signal(index: 2, 9)])
  }

  @Test("without a leader a failure terminates all at once")
  func failureWithoutLeader() {
    for code in [ExitCode.failure, .transient, .signal(9)] {
      var group = group(2, leader: nil)
      #expect(
        group.handle(.ended(index: 1, code), at: 1) == [
          .announce(index: 1, .runEnds), .signal(index: 0, 15),
        ])
    }
  }

  @Test("after a lost child the leader has time to end the run itself, and no child is signalled")
  func leaderNotices() {
    var group = group()
    #expect(group.handle(.ended(index: 1, .signal(9)), at: 10) == [.announce(index: 1, .runEnds)])
    #expect(group.nextDeadline == 40)
    #expect(group.handle(.tick, at: 39.9).isEmpty)
    #expect(group.handle(.ended(index: 0, .transient), at: 39.9).isEmpty)
    #expect(group.handle(.tick, at: 44.8).isEmpty)
    #expect(group.handle(.ended(index: 2, .success), at: 44.8).isEmpty)
    #expect(group.isDone)
    #expect(group.exitCode == .transient)
    #expect(group.culprit?.index == 1)
    #expect(group.culprit?.exitCode == .signal(9))
  }

  @Test("a leader that does not detect a lost child in time is terminated, then the others")
  func leaderDoesNotNotice() {
    var group = group()
    _ = group.handle(.ended(index: 1, .transient), at: 10)
    #expect(group.handle(.tick, at: 40) == [.signal(index: 0, 15)])
    #expect(group.handle(.ended(index: 0, .terminated), at: 41) == [.signal(index: 2, 15)])
    _ = group.handle(.ended(index: 2, .terminated), at: 41)
    #expect(group.exitCode == .transient)
    #expect(group.culprit?.index == 1)
  }

  @Test("a permanent failure during the leader's notice time becomes the cause")
  func causeWhileNoticing() {
    var group = group()
    _ = group.handle(.ended(index: 2, .transient), at: 10)
    #expect(
      group.handle(.ended(index: 1, .dataMalformed), at: 11) == [
        .announce(index: 1, .runEnds), .signal(index: 0, 15),
      ])
    #expect(group.exitCode == .dataMalformed)
    #expect(group.culprit?.index == 1)
  }

  @Test("a second lost child does not extend the leader's time")
  func secondLoss() {
    var group = group()
    _ = group.handle(.ended(index: 1, .signal(9)), at: 10)
    #expect(group.handle(.ended(index: 2, .signal(9)), at: 20).isEmpty)
    #expect(group.nextDeadline == 40)
    #expect(group.culprit?.index == 1)
  }

  @Test("the user's signal is forwarded to the leader also during its notice time")
  func signalWhileNoticing() {
    var group = group()
    _ = group.handle(.ended(index: 1, .signal(9)), at: 10)
    #expect(group.handle(.signal(2), at: 11) == [.signal(index: 0, 2)])
    #expect(group.handle(.signal(2), at: 12) == [.signal(index: 0, 9), .signal(index: 2, 9)])
  }

  @Test("a lost leader is not waited for")
  func lostLeader() {
    var group = group()
    #expect(
      group.handle(.ended(index: 0, .signal(9)), at: 1) == [
        .signal(index: 1, 15), .signal(index: 2, 15),
      ])
    #expect(group.exitCode == .transient)
    #expect(group.culprit?.index == 0)
  }

  @Test("a permanent failure takes precedence over its consequences that were seen first")
  func causeBeforeEffect() {
    var group = group()
    _ = group.handle(.ended(index: 0, .transient), at: 10)
    _ = group.handle(.ended(index: 2, .dataMalformed), at: 10)
    _ = group.handle(.ended(index: 1, .terminated), at: 10)
    #expect(group.exitCode == .dataMalformed)
    #expect(group.culprit?.index == 2)
  }

  @Test("a killed child makes the exit code transient")
  func killedChild() {
    var group = group()
    _ = group.handle(.ended(index: 2, .signal(9)), at: 1)
    _ = group.handle(.ended(index: 0, .transient), at: 1)
    _ = group.handle(.ended(index: 1, .terminated), at: 1)
    #expect(group.exitCode == .transient)
    #expect(group.culprit?.index == 2)
  }

  @Test("after the leader has ended the others have the grace time to leave")
  func leaderDone() {
    var group = group()
    #expect(group.handle(.ended(index: 0, .success), at: 1).isEmpty)
    #expect(group.handle(.tick, at: 5.9).isEmpty)
    #expect(group.handle(.tick, at: 6) == [.signal(index: 1, 15), .signal(index: 2, 15)])
    #expect(group.handle(.tick, at: 11) == [.signal(index: 1, 9), .signal(index: 2, 9)])
    _ = group.handle(.ended(index: 1, .signal(9)), at: 11)
    _ = group.handle(.ended(index: 2, .signal(9)), at: 11)
    #expect(group.exitCode == .success)
  }

  @Test("the first signal is forwarded to the leader only; the exit code has it")
  func firstSignal() {
    var group = group()
    #expect(group.handle(.signal(2), at: 1) == [.signal(index: 0, 2)])
    #expect(group.handle(.ended(index: 0, .interrupted), at: 2).isEmpty)
    _ = group.handle(.ended(index: 1, .success), at: 2)
    _ = group.handle(.ended(index: 2, .success), at: 2)
    #expect(group.exitCode == .interrupted)
    #expect(group.culprit == nil)
  }

  @Test("without a leader the first signal goes to all; children that do not leave are terminated")
  func stopTime() {
    var group = group(2, leader: nil)
    #expect(group.handle(.signal(15), at: 1) == [.signal(index: 0, 15), .signal(index: 1, 15)])
    #expect(group.handle(.tick, at: 20).isEmpty)
    #expect(group.handle(.tick, at: 21) == [.signal(index: 0, 15), .signal(index: 1, 15)])
    #expect(group.handle(.tick, at: 26) == [.signal(index: 0, 9), .signal(index: 1, 9)])
  }

  @Test("the second signal kills at once")
  func secondSignal() {
    var group = group(2)
    _ = group.handle(.signal(2), at: 1)
    #expect(group.handle(.signal(2), at: 2) == [.signal(index: 0, 9), .signal(index: 1, 9)])
  }

  @Test("a signal together with the first, as from `timeout`, does not count as the second")
  func sameSignal() {
    var group = group(2)
    _ = group.handle(.signal(15), at: 1)
    #expect(group.handle(.signal(15), at: 1.01).isEmpty)
    #expect(group.handle(.signal(15), at: 2) == [.signal(index: 0, 9), .signal(index: 1, 9)])
  }

  @Test("a signal after the run was completed does not change the success")
  func lateSignal() {
    var group = group(2)
    _ = group.handle(.ended(index: 0, .success), at: 1)
    _ = group.handle(.signal(2), at: 1.5)
    _ = group.handle(.ended(index: 1, .interrupted), at: 2)
    #expect(group.exitCode == .success)
  }
}
