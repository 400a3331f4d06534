import Runtime
import Testing

@Suite struct UnusedMemoryTests {
  private let much = UnusedMemory.allowance + 1

  @Test("what is free, and more than what passed lately, is given back; it looks now and then")
  func burst() {
    var memory = UnusedMemory()
    // What a process begins with is not known to be left over.
    #expect(!memory.isExcessive(at: 0, bytesMoved: 0) { much })
    #expect(!memory.isExcessive(at: 1, bytesMoved: 0) { much })
    #expect(memory.isExcessive(at: 10, bytesMoved: 0) { much })
    #expect(!memory.isExcessive(at: 11, bytesMoved: 0) { much })
    #expect(!memory.isExcessive(at: 20, bytesMoved: 0) { UnusedMemory.allowance })
  }

  @Test("what the next step needs stays")
  func busy() {
    var memory = UnusedMemory()
    _ = memory.isExcessive(at: 0, bytesMoved: 0) { 0 }
    #expect(!memory.isExcessive(at: 10, bytesMoved: 1 << 30) { 1 << 31 })
    #expect(memory.isExcessive(at: 20, bytesMoved: 1 << 30) { 1 << 31 })
  }
}
