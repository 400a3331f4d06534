import Tensors
import Testing

@Suite("Digests")
struct DigestTests {
  /// Bytes with a pattern, and what `xxh128sum` 0.8.1 prints for a file with them.
  private static let references: [(count: Int, digits: String)] = [
    (0, "99aa06d3014798d86001c324468d497f"),
    (1, "a6cd5e9392000f6ac44bdff4074eecdb"),
    (17, "9463f26ddb5b398c18c88efc5ef67e19"),
    (200, "60014579a441253f6751e647304ce4b6"),
    (1000, "0c1037b84f235d816764921a583a1cef"),
    (2_500_000, "a4b9a8f90c9528ab79400b7f0d32b2fc"),
  ]

  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 * $0 * 7 + $0) }
  }

  @Test("bytes have the digest that xxh128sum prints, however they are divided")
  func references() {
    for (count, digits) in Self.references {
      let bytes = Self.bytes(count)
      for piece in [1, 13, 4096, max(1, count)] where count / piece < 10_000 {
        var digest = ByteDigest()
        for start in stride(from: 0, to: count, by: piece) {
          bytes[start..<min(start + piece, count)].withUnsafeBytes { digest.append($0) }
        }
        #expect(digest.hexadecimal == digits, "\(count) bytes in pieces of \(piece)")
        #expect(digest.text == "xxh128:" + digits)
      }
    }
  }

  @Test("digests differ when contents are divided differently")
  func divided() {
    func digest(_ texts: [String]) -> String {
      var digest = ContentDigest()
      for text in texts { digest.combine(text) }
      return digest.text
    }
    let all = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"]].map(digest)
    #expect(Set(all).count == all.count)
    #expect(digest(["ab", "c"]) == all[0])
  }
}
