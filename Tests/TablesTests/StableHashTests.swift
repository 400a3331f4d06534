import Tables
import Testing

@Suite("Stable hash")
struct StableHashTests {
  // Published FNV-1a test vectors (64 bits).
  @Test(
    "equals the published FNV-1a values",
    arguments: [
      ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c),
      ("foobar", 0x8594_4171_f739_67e8),
    ] as [(String, UInt64)])
  func vectors(text: String, hash: UInt64) { #expect(StableHash.of(text) == hash) }
}
