import Runtime
import Testing

@Suite struct UnusedMemoryTests {
  private let much = UnusedMemory.allowance + 1

  @Test("free memory beyond the recent traffic is returned, at intervals")
  func burst() {
    var memory = UnusedMemory()
    // Memory that is free at the start is not returned.
    #expect(!memory.isExcessive(at: 0, bytesMoved: 0) { much })
    #expect(!memory.isExcessive(at: 1, bytesMoved: 0) { much })
    #expect(memory.isExcessive(at: 10, bytesMoved: 0) { much })
    #expect(!memory.isExcessive(at: 11, bytesMoved: 0) { much })
    #expect(!memory.isExcessive(at: 20, bytesMoved: 0) { UnusedMemory.allowance })
  }

  @Test("memory that the next step needs stays")
  func busy() {
    var memory = UnusedMemory()
    _ = memory.isExcessive(at: 0, bytesMoved: 0) { 0 }
    #expect(!memory.isExcessive(at: 10, bytesMoved: 1 << 30) { 1 << 31 })
    #expect(memory.isExcessive(at: 20, bytesMoved: 1 << 30) { 1 << 31 })
  }
}
