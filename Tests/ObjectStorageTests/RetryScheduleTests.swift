import ObjectStorage
import Testing

@Suite("Pauses between requests")
struct RetryScheduleTests {
  @Test("pauses double up to a bound, each shortened by up to a half; a key has its own")
  func pauses() {
    let schedule = RetrySchedule(patience: 60, key: [1, 2])
    var full = 0.2
    for attempt in 1...40 {
      let pause = schedule.pause(after: attempt)
      #expect(pause > full / 2 && pause <= full, "\(attempt)")
      full = min(8, full * 2)
    }
    let again = RetrySchedule(patience: 1, key: [1, 2])
    let other = RetrySchedule(patience: 60, key: [1, 3])
    #expect((1...9).allSatisfy { schedule.pause(after: $0) == again.pause(after: $0) })
    #expect((1...9).contains { schedule.pause(after: $0) != other.pause(after: $0) })
  }
}
