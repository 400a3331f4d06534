import Datasets
import Files

/// Reads lines of an id and numbers: `id,0.1,0.2`, with tabs, semicolons, bars or blanks between
/// them, or with all numbers in one field, in brackets and quotes or not: `id,"[0.1, 0.2]"`. The
/// first line may be a header.
///
/// Not by ``DelimitedReader``: a row may have a million numbers, of which no bounds need be kept,
/// and the delimiter behind the id may be another than the one between the numbers.
struct DelimitedFeatureLine: TextFeatures.LineFormat {
  private static let quote = UInt8(ascii: "\"")
  private static let blank = UInt8(ascii: " ")
  /// Names of columns of ids; they must come first.
  private static let idNames: Set<String> = [
    "id", "ids", "item_id", "itemid", "item", "asin", "parent_asin", "movieid", "movie_id", "sku",
  ]

  private let path: String
  /// What ends the id.
  private let delimiter: UInt8
  private var isFirst = true
  /// What follows the id's name in the header, if there is one: the names of the columns.
  private var header: [UInt8] = []

  /// - Parameter beginning: the first lines.
  init(path: String, beginning: UnsafeRawBufferPointer) {
    self.path = path
    delimiter = Delimiter.find(inBeginning: beginning)?.byte ?? Self.blank
  }

  mutating func read(
    _ line: UnsafeMutableRawBufferPointer, number: Int, into values: inout [Float]
  ) throws(DatasetError) -> UnsafeRawBufferPointer? {
    let wasFirst = isFirst
    isFirst = false
    let (id, rest) = try splitID(line, number: number)
    // pandas writes a header with numbers for names, with or without a name for the ids.
    if wasFirst {
      var isNames = id.isEmpty || Self.isIDName(id)
      if !isNames { isNames = try isHeader(rest, number: number) }
      if isNames {
        header = Array(rest)
        return nil
      }
    }
    try readNumbers(rest, number: number, into: &values)
    return id
  }

  /// The first field without its quotes, and what follows the delimiter behind it.
  private func splitID(
    _ line: UnsafeMutableRawBufferPointer, number: Int
  ) throws(DatasetError) -> (id: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer) {
    var end = 0
    var idRange = 0..<0
    if line.first == Self.quote {
      var target = 1
      end = 1
      while true {
        guard end < line.count else { throw problem(number, "has a quote that is not closed") }
        if line[end] == Self.quote {
          guard end + 1 < line.count, line[end + 1] == Self.quote else { break }
          end += 1
        }
        line[target] = line[end]
        target += 1
        end += 1
      }
      idRange = 1..<target
      end += 1
    } else {
      while end < line.count, line[end] != delimiter { end += 1 }
      idRange = 0..<end
    }
    guard end < line.count, line[end] == delimiter else {
      throw problem(
        number,
        "has an id, but no numbers behind it: a line is an id and its features, separated by "
          + "commas, tabs or blanks")
    }
    return (
      UnsafeRawBufferPointer(rebasing: line[idRange]),
      UnsafeRawBufferPointer(rebasing: line[(end + 1)...])
    )
  }

  private static func isIDName(_ id: UnsafeRawBufferPointer) -> Bool {
    idNames.contains(String(decoding: id.prefix(64), as: UTF8.self).lowercased())
  }

  /// Whether the first line names columns: what follows the id does not begin with a number.
  private func isHeader(
    _ rest: UnsafeRawBufferPointer, number: Int
  ) throws(DatasetError) -> Bool {
    var numbers: [Float] = []
    do {
      try readNumbers(rest, number: number, into: &numbers)
      return false
    } catch {
      // A damaged row, which must not be lost as a header.
      guard numbers.isEmpty else { throw error }
      let second = rest.prefix { $0 != delimiter }
      let name = String(decoding: second.prefix(64), as: UTF8.self)
        .filter { $0 != "\"" }.lowercased()
      guard !Self.idNames.contains(name) else {
        throw problem(
          number,
          "has the ids ('\(name.sanitized(atMost: 32))') in the second column, but they must be in "
            + "the first: leave out the first column (pandas: to_csv(file, index=False))")
      }
      return true
    }
  }

  /// Appends the numbers of a text: separated by commas, semicolons, bars, tabs or blanks, in
  /// brackets and quotes or not.
  private func readNumbers(
    _ text: UnsafeRawBufferPointer, number: Int, into values: inout [Float]
  ) throws(DatasetError) {
    var index = 0
    var isExpected = true
    while index < text.count {
      let byte = text[index]
      if Self.isDecoration(byte) {
        index += 1
        continue
      }
      if Self.isSeparator(byte) {
        guard !isExpected else { throw empty(values.count, in: text, number) }
        isExpected = true
        index += 1
        continue
      }
      let start = index
      while index < text.count, !Self.isSeparator(text[index]), !Self.isDecoration(text[index]) {
        index += 1
      }
      let field = UnsafeRawBufferPointer(rebasing: text[start..<index])
      guard let value = Self.value(field) else {
        let shown = String(decoding: field.prefix(64), as: UTF8.self).sanitized(atMost: 32)
        throw problem(
          number, "has '\(shown)' as \(place(values.count, in: text)), which is not a number")
      }
      guard values.count < FeatureLimits.columns else {
        throw problem(number, "has more than the \(FeatureLimits.columns) values that can be read")
      }
      values.append(value)
      isExpected = false
    }
    guard !isExpected else { throw empty(values.count, in: text, number) }
  }

  /// NaN and infinities are numbers here, so that they are refused as values and not as text.
  private static func value(_ field: UnsafeRawBufferPointer) -> Float? {
    if let number = DecimalNumber.parse(field) { return Float(number) }
    switch String(decoding: field.prefix(16), as: UTF8.self).lowercased() {
    case "nan", "-nan", "null", "none": return .nan
    case "inf", "+inf", "infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: return nil
    }
  }

  private func empty(
    _ value: Int, in text: UnsafeRawBufferPointer, _ number: Int
  ) -> DatasetError {
    problem(number, "has nothing as \(place(value, in: text)), but features must be numbers")
  }

  /// Which number of a line: counted from 1, with its column, in which the id is the first, unless
  /// all numbers are in one field.
  ///
  /// - Parameter value: counted from 0.
  private func place(_ value: Int, in text: UnsafeRawBufferPointer) -> String {
    let brackets: Set = [UInt8(ascii: "["), UInt8(ascii: "("), Self.quote]
    let isOneField = text.first { $0 != Self.blank }.map(brackets.contains) ?? false
    guard !isOneField else { return "value \(value + 1)" }
    let names = header.split(
      separator: delimiter, maxSplits: value + 1, omittingEmptySubsequences: false)
    guard !header.isEmpty, value < names.count else {
      return "value \(value + 1) (column \(value + 2))"
    }
    let name = String(decoding: names[value].prefix(64), as: UTF8.self).filter { $0 != "\"" }
    return "value \(value + 1) (column \(value + 2), '\(name.sanitized(atMost: 32))')"
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: "\t"): true
    default: false
    }
  }

  /// What may stand between numbers and means nothing.
  private static func isDecoration(_ byte: UInt8) -> Bool {
    switch byte {
    case blank, quote, UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"):
      true
    default: false
    }
  }

  private func problem(_ number: Int, _ message: String) -> DatasetError {
    DatasetError(.malformed, path: path, line: number, message)
  }
}
