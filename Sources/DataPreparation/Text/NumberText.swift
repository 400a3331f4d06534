import Datasets

/// Reads numbers from bytes without making a string.
///
/// What a source has may be copied, shortened or refused, so more is asked of a text here than its
/// value, which ``DecimalNumber`` reads.
enum NumberText {
  /// The longest number; longer ones are refused.
  static let longest = 64

  /// The number, if the text is one: a finite decimal number, also with an exponent, or with a
  /// decimal comma, which ``DecimalNumber`` does not read because data sets do not have it.
  static func finite(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard !bytes.isEmpty, bytes.count <= longest else { return nil }
    let comma = UInt8(ascii: ",")
    guard bytes.contains(comma) else { return DecimalNumber.parse(bytes) }
    return withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 1) { copy in
      for (index, byte) in bytes.enumerated() {
        copy[index] = byte == comma ? UInt8(ascii: ".") : byte
      }
      return DecimalNumber.parse(UnsafeRawBufferPointer(copy))
    }
  }

  /// Whether the text is a plain decimal number, which can be copied as it is: digits, perhaps with
  /// a sign before and a point between them.
  static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count <= longest else { return false }
    var index = 0
    var digits = 0
    var points = 0
    if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
    while index < bytes.count {
      if bytes[index] &- UInt8(ascii: "0") <= 9 {
        digits &+= 1
      } else if bytes[index] == UInt8(ascii: "."), points == 0, digits > 0 {
        points = 1
      } else {
        return false
      }
      index &+= 1
    }
    return digits > 0 && bytes[bytes.count - 1] != UInt8(ascii: ".")
  }

  /// A whole number of at most `largest`, without a sign.
  static func whole(_ bytes: UnsafeRawBufferPointer, atMost largest: Int) -> Int? {
    // 18 digits cannot overflow.
    guard (1...18).contains(bytes.count) else { return nil }
    var value = 0
    for byte in bytes {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      value = value &* 10 &+ Int(digit)
    }
    return value <= largest ? value : nil
  }

  /// The text without blanks around it.
  static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var range = bytes.indices
    while let first = range.first, bytes[first] == 0x20 { range.removeFirst() }
    while let last = range.last, bytes[last] == 0x20 { range.removeLast() }
    return UnsafeRawBufferPointer(rebasing: bytes[range])
  }
}
