import Files

/// The part of Python's literal syntax that files of data hold: dictionaries, tuples and lists,
/// strings, numbers, `True`, `False` and `None`.
package indirect enum PythonLiteral: Equatable {
  /// What may occur.
  package enum Dialect {
    /// The header of an npy file: strings without escapes, whole numbers.
    case header
    /// Printed dictionaries: also escapes, `u'…'` and numbers with a point.
    case data
  }

  case dictionary([String: PythonLiteral])
  /// A tuple or a list.
  case sequence([PythonLiteral])
  case string(String)
  case integer(Int)
  /// Only in ``Dialect/data``.
  case real(Double)
  case boolean(Bool)
  case none

  /// Why a text is malformed, and the byte where.
  package struct SyntaxError: Error, Equatable {
    package let message: String
    package let position: Int
  }

  /// Reads one literal with nothing but white space around it.
  package static func parse(
    _ text: [UInt8], dialect: Dialect = .header
  ) throws(SyntaxError) -> PythonLiteral {
    var parser = PythonLiteralParser(text: text, dialect: dialect)
    return try parser.parseWhole()
  }
}

/// A recursive descent over the bytes; never reads beyond them and never nests deeper than
/// ``maximumDepth``.
private struct PythonLiteralParser {
  typealias SyntaxError = PythonLiteral.SyntaxError

  /// A header nests two levels; structured types (refused later) a few more.
  static let maximumDepth = 16

  let text: [UInt8]
  let dialect: PythonLiteral.Dialect
  private var position = 0

  init(text: [UInt8], dialect: PythonLiteral.Dialect) {
    self.text = text
    self.dialect = dialect
  }

  mutating func parseWhole() throws(SyntaxError) -> PythonLiteral {
    let value = try parseValue(depth: 0)
    skipSpace()
    guard position == text.count else { throw failure("text follows the end of the value") }
    return value
  }

  private mutating func parseValue(depth: Int) throws(SyntaxError) -> PythonLiteral {
    guard depth < Self.maximumDepth else { throw failure("values are nested too deeply") }
    skipSpace()
    guard let byte = peek else { throw failure("the text ends where a value is expected") }
    switch byte {
    case UInt8(ascii: "{"): return try parseDictionary(depth: depth)
    case UInt8(ascii: "("): return try parseSequence(closing: UInt8(ascii: ")"), depth: depth)
    case UInt8(ascii: "["): return try parseSequence(closing: UInt8(ascii: "]"), depth: depth)
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try parseString(quote: byte))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    case UInt8(ascii: "u") where dialect == .data:
      position += 1
      guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        throw failure("a value is expected")
      }
      return .string(try parseString(quote: quote))
    default: return try parseWord()
    }
  }

  private mutating func parseDictionary(depth: Int) throws(SyntaxError) -> PythonLiteral {
    position += 1
    var entries: [String: PythonLiteral] = [:]
    while true {
      skipSpace()
      if take(UInt8(ascii: "}")) { return .dictionary(entries) }
      if dialect == .data { _ = take(UInt8(ascii: "u")) }
      guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        throw failure("a quoted key is expected")
      }
      let key = try parseString(quote: quote)
      skipSpace()
      guard take(UInt8(ascii: ":")) else {
        throw failure("':' is missing after the key '\(key.sanitized(atMost: 32))'")
      }
      let value = try parseValue(depth: depth + 1)
      guard entries.updateValue(value, forKey: key) == nil else {
        throw failure("the key '\(key.sanitized(atMost: 32))' occurs a second time")
      }
      skipSpace()
      if !take(UInt8(ascii: ",")) && peek != UInt8(ascii: "}") {
        throw failure("neither ',' nor '}' follows the value of '\(key.sanitized(atMost: 32))'")
      }
    }
  }

  private mutating func parseSequence(
    closing: UInt8, depth: Int
  ) throws(SyntaxError) -> PythonLiteral {
    position += 1
    var elements: [PythonLiteral] = []
    while true {
      skipSpace()
      if take(closing) { return .sequence(elements) }
      elements.append(try parseValue(depth: depth + 1))
      skipSpace()
      if !take(UInt8(ascii: ",")) && peek != closing {
        throw failure("neither ',' nor the closing bracket follows an element")
      }
    }
  }

  /// Escapes are refused in headers: none that describes numbers has one.
  private mutating func parseString(quote: UInt8) throws(SyntaxError) -> String {
    position += 1
    let start = position
    var unescaped: [UInt8]?
    while let byte = peek, byte != quote {
      if byte == UInt8(ascii: "\\") {
        guard dialect == .data else { throw failure("a string has an escape") }
        var content = unescaped ?? Array(text[start..<position])
        position += 1
        try parseEscape(into: &content)
        unescaped = content
      } else {
        unescaped?.append(byte)
        position += 1
      }
    }
    guard peek == quote else { throw failure("a string has no closing quote") }
    let content = String(decoding: unescaped?[...] ?? text[start..<position], as: UTF8.self)
    position += 1
    return content
  }

  /// Reads what follows a backslash; an unknown escape stands for itself, as in Python.
  private mutating func parseEscape(into content: inout [UInt8]) throws(SyntaxError) {
    guard let byte = peek else { throw failure("a string has no closing quote") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"): content.append(byte)
    // A byte of UTF-8 in the strings of Python 2, which printed most of these files.
    case UInt8(ascii: "x"): content.append(UInt8(truncatingIfNeeded: try parseDigits(2)))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let code = try parseDigits(byte == UInt8(ascii: "u") ? 4 : 8)
      content += Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
    default: content += [UInt8(ascii: "\\"), byte]
    }
  }

  private mutating func parseDigits(_ count: Int) throws(SyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("an escape has too few digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func parseNumber() throws(SyntaxError) -> PythonLiteral {
    let start = position
    let integer = try parseInteger()
    let marks = [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")]
    guard dialect == .data, let byte = peek, marks.contains(byte) else { return integer }
    let signs = [UInt8(ascii: "+"), UInt8(ascii: "-")]
    while let byte = peek,
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (marks + signs).contains(byte)
    {
      position += 1
    }
    guard let value = Double(String(decoding: text[start..<position], as: UTF8.self)) else {
      throw failure("a number is malformed")
    }
    return .real(value)
  }

  private mutating func parseInteger() throws(SyntaxError) -> PythonLiteral {
    let isNegative = take(UInt8(ascii: "-"))
    let start = position
    var value = 0
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let (scaled, scaleOverflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = scaled.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !scaleOverflow && !sumOverflow else { throw failure("a number has more than 64 bits") }
      value = sum
      position += 1
    }
    guard position > start else { throw failure("a sign has no digits") }
    _ = take(UInt8(ascii: "L"))  // Python 2 wrote long integers as 12L.
    return .integer(isNegative ? -value : value)
  }

  private mutating func parseWord() throws(SyntaxError) -> PythonLiteral {
    let words: [(String, PythonLiteral)] = [
      ("True", .boolean(true)), ("False", .boolean(false)), ("None", .none),
    ]
    for (word, value) in words where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("a value is expected")
  }

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
  }

  private func failure(_ message: String) -> SyntaxError {
    SyntaxError(message: message, position: position)
  }
}
