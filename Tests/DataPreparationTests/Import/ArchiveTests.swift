import DataPreparation
import Datasets
import TestSupport
import Testing

/// Archives are unpacked while they are read, and damaged ones are named.
@Suite struct ArchiveTests {
  private static let text = Array(
    ("user,item\n" + (0..<40_000).map { "user-\($0 % 97),item-\($0)\n" }.joined()).utf8)

  private static func packed(_ kind: String, _ bytes: [UInt8]) throws -> [UInt8] {
    try kind == "gzip" ? Archives.gzip(bytes) : Archives.zstd(bytes)
  }

  @Test("one archive, and several one after another", arguments: ["gzip", "zstd"])
  func whole(kind: String) throws {
    let plain = try Imported(["a.csv": Self.text])
    let middle = Self.text.count / 3
    let parts = [Self.text[..<middle], [], Self.text[middle...]].map { Array($0) }
    let joined = try parts.flatMap { try Self.packed(kind, $0) }
    for bytes in [try Self.packed(kind, Self.text), joined] {
      // The name does not say what it is.
      let imported = try Imported(["a.csv": bytes])
      #expect(try imported.interactions == plain.interactions)
      #expect(try imported.users == plain.users)
      #expect(imported.observer.lastPosition == bytes.count)
      #expect(imported.observer.lastSize == bytes.count)
    }
  }

  @Test("an archive that was cut off is not taken for a whole one", arguments: ["gzip", "zstd"])
  func cutOff(kind: String) throws {
    let packed = try Self.packed(kind, Self.text)
    for kept in [packed.count - 1, packed.count / 2, 20] {
      let error = try #require(try Imported.refusal(Array(packed[..<kept])))
      #expect(error.message.contains("\(kind) archive that was cut off"), "\(kept): \(error)")
    }
  }

  @Test("a damaged archive is named", arguments: ["gzip", "zstd"])
  func damaged(kind: String) throws {
    var packed = try Self.packed(kind, Self.text)
    for index in packed.count / 2..<packed.count / 2 + 40 { packed[index] ^= 0xFF }
    let error = try #require(try Imported.refusal(packed))
    #expect(error.message.contains("damaged \(kind) archive"), "\(error)")
  }

  @Test("padding behind a gzip archive is ignored, other bytes are not")
  func behindGzip() throws {
    let packed = try Archives.gzip(Array("user,item\na,b\n".utf8))
    #expect(try Imported.refusal(packed + Array(repeating: 0, count: 600)) == nil)
    let error = try #require(try Imported.refusal(packed + Array("rest".utf8)))
    #expect(error.message.contains("other bytes after the end"))
  }
}
