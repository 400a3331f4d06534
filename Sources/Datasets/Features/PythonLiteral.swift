import Files

/// The part of Python's literal syntax that a header of an npy file can hold: dictionaries, tuples
/// and lists, strings, integers, `True`, `False` and `None`.
indirect enum PythonLiteral: Equatable {
  case dictionary([String: PythonLiteral])
  /// A tuple or a list.
  case sequence([PythonLiteral])
  case string(String)
  case integer(Int)
  case boolean(Bool)
  case none

  /// Why a text is malformed, and the byte where.
  struct SyntaxError: Error, Equatable {
    let message: String
    let position: Int
  }

  /// Reads one literal with nothing but white space around it.
  static func parse(_ text: [UInt8]) throws(SyntaxError) -> PythonLiteral {
    var parser = PythonLiteralParser(text: text)
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
  private var position = 0

  init(text: [UInt8]) { self.text = text }

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
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseInteger()
    default: return try parseWord()
    }
  }

  private mutating func parseDictionary(depth: Int) throws(SyntaxError) -> PythonLiteral {
    position += 1
    var entries: [String: PythonLiteral] = [:]
    while true {
      skipSpace()
      if take(UInt8(ascii: "}")) { return .dictionary(entries) }
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

  /// Escapes are refused: no header that describes numbers has one.
  private mutating func parseString(quote: UInt8) throws(SyntaxError) -> String {
    position += 1
    let start = position
    while let byte = peek, byte != quote {
      if byte == UInt8(ascii: "\\") { throw failure("a string has an escape") }
      position += 1
    }
    guard peek == quote else { throw failure("a string has no closing quote") }
    let content = String(decoding: text[start..<position], as: UTF8.self)
    position += 1
    return content
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
