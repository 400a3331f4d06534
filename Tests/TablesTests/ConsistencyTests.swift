import Tables
import Testing

@Suite struct ConsistencyTests {
  @Test("the oldest version that may be used is within the bound, and of the epoch")
  func oldestVersion() {
    func oldest(_ consistency: Consistency) -> [UInt64] {
      [10, 11, 13, 19].map { consistency.oldestVersion(for: $0, inEpochFrom: 10) }
    }
    #expect(oldest(.bulkSynchronous) == [10, 11, 13, 19])
    #expect(oldest(.staleSynchronous(bound: 0)) == [10, 11, 13, 19])
    #expect(oldest(.staleSynchronous(bound: 2)) == [10, 10, 11, 17])
    #expect(oldest(.staleSynchronous(bound: .max)) == [10, 10, 10, 10])
    #expect(oldest(.asynchronous) == [10, 10, 10, 10])
  }

  @Test("only with a bound of 0 are all gradients of a version from the same rows")
  func isExact() {
    #expect(Consistency.bulkSynchronous.isExact)
    #expect(Consistency.staleSynchronous(bound: 0).isExact)
    #expect(!Consistency.staleSynchronous(bound: 1).isExact)
    #expect(!Consistency.asynchronous.isExact)
  }
}
