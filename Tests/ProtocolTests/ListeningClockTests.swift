import Protocol
import Testing

@Suite struct ListeningClockTests {
  private func clock(_ looks: [(now: Double, isBehind: Bool?)]) -> Double {
    var clock = ListeningClock(timeout: 20)
    for look in looks { clock.look(at: look.now, isBehind: look.isBehind) }
    return clock.seconds
  }

  @Test("runs at full speed with frequent calls")
  func runs() {
    #expect(clock([(100, nil), (101, false), (102.5, nil), (104, false)]) == 4)
  }

  @Test("a pause counts at most a quarter of the timeout, however long and however often")
  func pauses() {
    #expect(clock([(0, false), (1000, false)]) == 5)
    #expect(clock([(0, false), (19, false), (38, nil), (57, false)]) == 15)
  }

  @Test("stands while messages wait, and in the step that ends with waiting messages")
  func waitingMessages() {
    #expect(clock([(0, false), (4, true), (8, true), (12, nil), (16, false), (17, false)]) == 1)
  }

  @Test("messages without end stop it for no longer than the timeout")
  func flood() {
    let looks = (0...100).map { (now: Double($0), isBehind: Bool?.some(true)) }
    #expect(clock(looks) == 80)
    // After a time without waiting messages it may stand again for as long.
    let quiet = (101...111).map { (now: Double($0), isBehind: Bool?.some(false)) }
    #expect(clock(looks + quiet + [(114, true)]) == 91)
  }

  @Test("messages that wait now and then slow it down by half at most", arguments: 2...6)
  func nowAndThen(period: Int) {
    let looks = (0...600).map { (now: Double($0), isBehind: Bool?.some($0 % period == 0)) }
    #expect(clock(looks) >= 290)
  }

  @Test("never decreases")
  func order() {
    #expect(clock([(10, false), (5, false), (6, false)]) == 1)
  }
}
