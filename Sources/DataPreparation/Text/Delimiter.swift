import Foundation

/// What separates the fields of a line.
struct Delimiter: Equatable, Sendable {
  let byte: UInt8
  /// Whether it is that byte twice, as in `::` of MovieLens.
  let isDoubled: Bool

  init(_ character: Unicode.Scalar, isDoubled: Bool = false) {
    byte = UInt8(ascii: character)
    self.isDoubled = isDoubled
  }

  static let comma = Delimiter(",")
  static let tab = Delimiter("\t")
  static let semicolon = Delimiter(";")
  static let bar = Delimiter("|")
  static let blank = Delimiter(" ")
  static let doubleColon = Delimiter(":", isDoubled: true)

  /// For messages and the history.
  var words: String {
    switch self {
    case .comma: "comma"
    case .tab: "tab"
    case .semicolon: "semicolon"
    case .bar: "bar"
    case .blank: "blank"
    default: "double colon"
    }
  }

  /// The delimiter of a text, by its first line that is not blank.
  static func find(inBeginning text: UnsafeRawBufferPointer) -> Delimiter? {
    let isLineEnd = { (byte: UInt8) in byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
    return find(
      in: UnsafeRawBufferPointer(rebasing: text.drop(while: isLineEnd).prefix { !isLineEnd($0) }))
  }

  /// The delimiter of a line: a tab if it has one, else the most frequent of the others outside of
  /// quotes; nil if the line is a single field.
  static func find(in line: UnsafeRawBufferPointer) -> Delimiter? {
    var counts: [UInt8: Int] = [:]
    var doubleColons = 0
    var isQuoted = false
    var previous: UInt8 = 0
    for byte in line {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if !isQuoted {
        counts[byte, default: 0] += 1
        if byte == UInt8(ascii: ":"), previous == byte { doubleColons += 1 }
      }
      previous = byte
    }
    let count = { (delimiter: Delimiter) in counts[delimiter.byte] ?? 0 }
    if count(.tab) > 0 { return .tab }
    if doubleColons > 0, count(.comma) == 0, count(.semicolon) == 0 { return .doubleColon }
    let best = [Delimiter.comma, .semicolon, .bar].max { count($0) < count($1) }
    if let best, count(best) > 0 { return best }
    return count(.blank) > 0 ? .blank : nil
  }
}
