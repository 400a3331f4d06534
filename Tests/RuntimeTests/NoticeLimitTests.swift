import Runtime
import Testing

@Suite struct NoticeLimitTests {
  private func notice(_ number: Int) -> LaunchNotice {
    .notStarted(name: "worker-\(number)", reason: "no memory")
  }

  @Test("a burst is shown, further notices are counted, and with time more are shown")
  func storm() {
    var limit = NoticeLimit(burst: 3, rate: 0.5, at: 10)
    for number in 0..<3 { #expect(limit.admit(notice(number), at: 10) == [notice(number)]) }
    for number in 3..<7 { #expect(limit.admit(notice(number), at: 11).isEmpty) }
    #expect(limit.admit(notice(7), at: 12) == [.notShown(count: 4), notice(7)])
    #expect(limit.admit(notice(8), at: 13).isEmpty)
    // A long pause allows no more than a burst.
    let shown = (0..<5).flatMap { limit.admit(notice($0), at: 1000) }
    #expect(shown == [.notShown(count: 1), notice(0), notice(1), notice(2)])
  }

  @Test("the number of suppressed notices is in the message")
  func sentence() {
    #expect(LaunchNotice.notShown(count: 4).sentence.contains("4 more messages"))
  }
}
