/// Where a YAML text refers to another part of itself (`*name`).
///
/// A few lines of nested aliases stand for billions of values, and YAML libraries expand all of
/// them when they compare keys, before any limit can be applied. No file of this project needs one.
package struct YAMLAlias: Equatable {
  /// From 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int

  /// The first word in a text that could be an alias; nil only if there is none at all.
  ///
  /// This looks at lines, not at YAML's grammar: a word that begins with `*` also counts as an
  /// alias inside quotes, and behind a comment's mark in a line with quotes.
  package static func first(in text: String) -> YAMLAlias? {
    var text = text
    return text.withUTF8 { bytes in
      var number = 1
      var start = 0
      while start < bytes.count {
        let (end, next) = lineEnd(bytes, from: start)
        let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if let offset = firstOffset(in: line) {
          return YAMLAlias(line: number, column: offset + 1)
        }
        number += 1
        start = next
      }
      return nil
    }
  }

  /// Where a line ends and the next begins, with all line breaks of YAML 1.1.
  private static func lineEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (end: Int, next: Int) {
    for index in start..<bytes.count {
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      switch bytes[index] {
      case UInt8(ascii: "\n"): return (index, index + 1)
      case UInt8(ascii: "\r"): return (index, next == UInt8(ascii: "\n") ? index + 2 : index + 1)
      case 0xC2 where next == 0x85: return (index, index + 2)
      case 0xE2 where next == 0x80 && index + 2 < bytes.count && bytes[index + 2] & 0xFE == 0xA8:
        return (index, index + 3)
      default: break
      }
    }
    return (bytes.count, bytes.count)
  }

  private static func firstOffset(in line: UnsafeBufferPointer<UInt8>) -> Int? {
    guard line.contains(UInt8(ascii: "*")) else { return nil }
    // A line without quotes is either outside of quoted text, and then this is a comment, or
    // wholly inside, and then it has no aliases.
    let hasQuotes = line.contains { $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\"") }
    for (offset, byte) in line.enumerated() {
      let previous = offset > 0 ? line[offset - 1] : UInt8(ascii: " ")
      let isAfterSpace = previous == UInt8(ascii: " ") || previous == UInt8(ascii: "\t")
      if byte == UInt8(ascii: "#") && isAfterSpace && !hasQuotes { return nil }
      if byte == UInt8(ascii: "*") && !isWord(previous) && offset + 1 < line.count
        && isName(line[offset + 1])
      {
        return offset
      }
    }
    return nil
  }

  /// Whether a byte can be part of an alias's name.
  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Whether a `*` after this byte belongs to the same word.
  private static func isWord(_ byte: UInt8) -> Bool {
    isName(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".")
  }
}
