import Runtime
import Testing

/// Children that do not end when they are killed, because they wait for a disk.
@Suite struct SupervisionLingeringTests {
  @Test("they are announced, killed again, and not waited for after the limit")
  func lingers() {
    var group = Supervision(
      roles: ["coordinator", "worker"], leader: 0,
      limits: .init(grace: 5, stop: 20, linger: 12), at: 0)
    _ = group.handle(.signal(2), at: 0)
    #expect(
      group.handle(.signal(2), at: 1) == [.signal(index: 0, 9), .signal(index: 1, 9)])
    _ = group.handle(.ended(index: 0, .signal(9)), at: 2)
    #expect(group.nextDeadline == 6)
    #expect(
      group.handle(.tick, at: 6)
        == [.announceLingering(index: 1, seconds: 5), .signal(index: 1, 9)])
    #expect(group.handle(.tick, at: 11).count == 2)
    #expect(!group.isDone)
    #expect(group.handle(.tick, at: 16).isEmpty)
    #expect(group.isDone)
  }
}
