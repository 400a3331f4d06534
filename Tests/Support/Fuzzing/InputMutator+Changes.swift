/// Changes that need not know the format.
extension InputMutator {
  private static let bytes: [UInt8] = [
    0, 1, 2, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x27, 0x2D, 0x2E, 0x30, 0x39, 0x3A, 0x5B, 0x7B, 0x7F,
    0x80, 0xBF, 0xC3, 0xEF, 0xFE, 0xFF,
  ]

  private static let integers: [UInt64] = [
    0, 1, 2, 7, 8, 9, 63, 64, 127, 128, 255, 256, 1023, 4096, 32_767, 32_768, 65_535, 65_536,
    1 << 20, 1 << 24, 1 << 30, 0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF,
    1 << 32, 1 << 53, 1 << 61, 1 << 62, 0x7FFF_FFFF_FFFF_FFFE, 0x7FFF_FFFF_FFFF_FFFF, 1 << 63,
    0xFFFF_FFFF_FFFF_FFFE, 0xFFFF_FFFF_FFFF_FFFF,
  ]

  private static let numbers = [
    "0", "1", "-1", "00", "2147483646", "2147483647", "2147483648", "4294967296",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616",
    "1e308", "1e309", "1e-400", "nan", "inf", "0.0", "1.5", "-0", "0x10", "1_000", "٣",
    "99999999999999999999999999999999",
  ].map { Array($0.utf8) }

  /// A number near a limit where parsers typically fail.
  public static func integer(_ random: inout SeededGenerator) -> UInt64 {
    random.oneIn(4) ? random.next() >> UInt64(random.below(64)) : random.element(of: integers)
  }

  func change(_ bytes: inout [UInt8], at part: Int, _ random: inout SeededGenerator) {
    let count = bytes.count
    switch random.below(words.isEmpty ? 11 : 14) {
    case 0 where count > 0: bytes[random.below(count)] ^= 1 << UInt8(random.below(8))
    case 1 where count > 0: bytes[random.below(count)] = random.element(of: Self.bytes)
    case 2: bytes.removeLast(random.below(count + 1))
    case 3: insert(random.bytes(1 + random.below(12)), into: &bytes, &random)
    case 4 where count > 0: repeatSpan(of: &bytes, &random)
    case 5 where count > 0: bytes.removeSubrange(span(of: count, &random))
    case 6: splice(&bytes, with: part, &random)
    case 7, 8: writeInteger(into: &bytes, &random)
    case 9: replaceNumber(in: &bytes, &random)
    case 10 where count > 0:
      let piece = Array(bytes[span(of: count, &random)])
      insert(piece, into: &bytes, &random)
    case 11...: insert(random.element(of: words), into: &bytes, &random)
    default: bytes = random.bytes(random.below(48))
    }
  }

  /// A run of bytes, mostly short.
  private func span(of count: Int, _ random: inout SeededGenerator) -> Range<Int> {
    let start = random.below(count)
    let longest = random.oneIn(4) ? count - start : min(16, count - start)
    return start..<start + 1 + random.below(longest)
  }

  private func insert(
    _ piece: [UInt8], into bytes: inout [UInt8], _ random: inout SeededGenerator
  ) {
    let place = random.below(bytes.count + 1)
    if random.oneIn(2) {
      bytes.insert(contentsOf: piece, at: place)
    } else {
      bytes.replaceSubrange(place..<min(place + piece.count, bytes.count), with: piece)
    }
  }

  private func repeatSpan(of bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let span = span(of: bytes.count, &random)
    let piece = Array(bytes[span])
    let times = random.oneIn(16) ? 1 + random.below(2048) : 1 + random.below(4)
    guard piece.count * times <= largestPart else { return }
    bytes.insert(
      contentsOf: (0..<times).flatMap { _ in piece }, at: span.upperBound)
  }

  /// The beginning of one and the end of another sample.
  private func splice(_ bytes: inout [UInt8], with part: Int, _ random: inout SeededGenerator) {
    let sample = random.element(of: samples)
    let other = part < sample.count ? sample[part] : sample[0]
    bytes.removeLast(random.below(bytes.count + 1))
    // If both have about the same form, the end fits the beginning.
    let cut = random.oneIn(2) ? min(bytes.count, other.count) : random.below(other.count + 1)
    bytes += other[cut...]
  }

  private func writeInteger(into bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let width = 1 << random.below(4)
    guard bytes.count >= width else { return }
    let number = Self.integer(&random)
    let isBigEndian = random.oneIn(4)
    let aligned = random.oneIn(2)
    let place = random.below(bytes.count - width + 1)
    let start = aligned ? place / width * width : place
    for index in 0..<width {
      let shift = UInt64(8 * (isBigEndian ? width - 1 - index : index))
      bytes[start + index] = UInt8(truncatingIfNeeded: number >> shift)
    }
  }

  /// Replaces a number that is written in digits.
  private func replaceNumber(in bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    guard !bytes.isEmpty else { return }
    let from = random.below(bytes.count)
    guard let start = bytes[from...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: random.element(of: Self.numbers))
  }
}

extension InputMutator {
  /// Text with a meaning in YAML.
  public static let yamlWords = [
    ": ", "- ", "? ", "\n", "\n  ", "\n- ", "[", "]", "{", "}", ", ", "'", "\"", "# ", " #", "|\n ",
    ">-\n  ", "&a ", "*a", "!!str ", "!!binary ", "!<x> ", "%YAML 1.1\n", "---\n", "...\n", "~",
    "null", "true", "no", ".nan", "1e3", "0x1F", "1:30", "<<: ", "\\u0041", "\\x00", "\\ud800",
    "\t", "\u{FEFF}", "\u{85}", "\u{2028}", "\u{1B}[2J", "\0",
  ]
}
