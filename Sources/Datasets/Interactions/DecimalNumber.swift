/// Reads decimal numbers from text that does not end with a NUL.
package enum DecimalNumber {
  /// Powers of ten that a `Double` holds exactly.
  private static let exactPowers: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  private static let maximumByteCount = 400

  /// The number that a whole text stands for, correctly rounded; NaN if the text is empty, nil if
  /// it is not a finite decimal number.
  package static func parse(_ text: UnsafeRawBufferPointer) -> Double? {
    guard !text.isEmpty else { return .nan }
    var index = text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") ? 1 : 0
    let isNegative = text[0] == UInt8(ascii: "-")
    var mantissa: UInt64 = 0
    var digitCount = 0
    var fractionCount = 0
    var hasPoint = false
    while index < text.count {
      let byte = text[index]
      let digit = byte &- UInt8(ascii: "0")
      if digit <= 9 {
        // 18 digits cannot overflow.
        guard digitCount < 18 else { return general(text) }
        mantissa = mantissa * 10 + UInt64(digit)
        digitCount += 1
        if hasPoint { fractionCount += 1 }
      } else if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else {
        return general(text)
      }
      index += 1
    }
    // Both operands are exact, so that the quotient is rounded once.
    guard digitCount > 0, mantissa <= 1 << 53 else { return digitCount > 0 ? general(text) : nil }
    let magnitude = Double(mantissa) / exactPowers[fractionCount]
    return isNegative ? -magnitude : magnitude
  }

  /// Exponents and many digits.
  private static func general(_ text: UnsafeRawBufferPointer) -> Double? {
    guard text.count <= maximumByteCount else { return nil }
    let isDecimal = text.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
        true
      default: false
      }
    }
    guard isDecimal, let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite
    else { return nil }
    return number
  }
}
