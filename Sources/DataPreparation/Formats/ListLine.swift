/// A line that lists items after a user, or after their number.
struct ListLine {
  typealias Text = UnsafeRawBufferPointer

  /// What is between the first word and the items.
  enum Separator {
    case tab
    case colon
    case blank
    /// The line has one word.
    case none
  }

  let separator: Separator
  let first: Text
  /// The items with blanks between, before and after them.
  let items: Text

  init(_ line: Text) {
    let line = line.withoutLeadingBlanks
    let tab = UInt8(ascii: "\t")
    let colon = UInt8(ascii: ":")
    let blank = UInt8(ascii: " ")
    let end = line.firstIndex(of: tab) ?? line.firstIndex { $0 == colon || $0 == blank }
    guard let end else {
      (separator, first, items) = (.none, line, Text(rebasing: line[line.count...]))
      return
    }
    separator = line[end] == tab ? .tab : line[end] == colon ? .colon : .blank
    first = Text(rebasing: line[..<end])
    items = Text(rebasing: line[(end + 1)...])
  }

  /// How many words a text has.
  static func items(in text: Text) -> Int {
    text.split(separator: UInt8(ascii: " ")).count
  }

  /// A number without sign.
  static func number(_ text: Text) -> Int? {
    guard !text.isEmpty, text.count < 18, text.allSatisfy(isDigit) else { return nil }
    return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }

  /// Recognises lists by some whole lines of a file; nil if they are something else.
  static func format(of lines: [Text]) -> SourceFormat? {
    guard !lines.isEmpty else { return nil }
    let parts = lines.map { ListLine($0) }
    let counts = parts.map { items(in: $0.items) }
    let hasSeveral = counts.contains { $0 > 1 }
    if parts.allSatisfy({ $0.separator == .tab && $0.isPlainPair }) {
      return lines.contains { $0.contains(UInt8(ascii: " ")) } ? .pairs : nil
    }
    if parts.allSatisfy({ $0.separator == .colon && $0.isNumeric }) {
      return hasSeveral ? .pairs : nil
    }
    // With as many fields in most lines they are columns, of which some lines may be damaged.
    let sameCount = counts.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }.values.max() ?? 0
    guard sameCount * 3 <= counts.count * 2, hasSeveral,
      parts.allSatisfy({ ($0.separator == .blank || $0.separator == .none) && $0.isNumeric })
    else { return nil }
    return zip(parts, counts).allSatisfy { number($0.first) == $1 } ? .countedLists : .pairs
  }

  /// Whether all items are words with a digit, and nothing reminds of a table.
  private var isPlainPair: Bool {
    guard !first.isEmpty, !first.contains(UInt8(ascii: " ")) else { return false }
    let words = items.split(separator: UInt8(ascii: " "))
    return !words.isEmpty && words.allSatisfy { $0.contains(where: Self.isDigit) }
      && items.allSatisfy {
        $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\t")
      }
  }

  /// Whether user and items are whole numbers.
  private var isNumeric: Bool {
    !first.isEmpty && first.allSatisfy(Self.isDigit)
      && items.allSatisfy { $0 == UInt8(ascii: " ") || Self.isDigit($0) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

extension UnsafeRawBufferPointer {
  /// The text after its leading blanks.
  var withoutLeadingBlanks: UnsafeRawBufferPointer {
    let start = firstIndex { $0 != UInt8(ascii: " ") } ?? count
    return UnsafeRawBufferPointer(rebasing: self[start...])
  }
}
