import Runtime
import Testing

@Suite struct RateLimitTests {
  @Test("the first lines of a window pass, the others are counted for the next that does")
  func windows() {
    var limit = RateLimit(lines: 2, window: 60)
    #expect(limit.admit(at: 0) == (true, 0))
    #expect(limit.admit(at: 1) == (true, 0))
    for number in 1...1000 {
      #expect(limit.admit(at: 2 + Double(number) / 100) == (false, number))
    }
    #expect(limit.admit(at: 59.9).isAdmitted == false)
    #expect(limit.admit(at: 60) == (true, 1001))
    #expect(limit.admit(at: 60) == (true, 0))
    #expect(limit.admit(at: 119).isAdmitted == false)
    #expect(limit.admit(at: 1000) == (true, 1))
  }
}
