/// How a source of interactions is written.
package enum SourceFormat: String, CaseIterable, Sendable {
  /// Fields with any delimiter, which is found in the first line.
  case delimited
  case csv
  case tsv
  case semicolon
  /// One JSON object (or literal of a Python dictionary) per line.
  case jsonLines = "jsonl"
  /// RecBole's atomic files: tabs, and a header of `name:type`.
  case recbole
  /// A folder in MMRec's layout: ids are numbers from 0 already.
  case mmrec
  /// `train.json`, `val.json`, `test.json`, as of LATTICE and MMSSL: lists of items by user.
  case jsonSplit = "json-split"
  /// A user, a tab, and the user's items with blanks between them, as of MicroLens.
  case pairs
  /// Ratings of Amazon 2014 without a header: user, item, rating, time.
  case amazon2014 = "amazon-2014"
  /// Ratings of Amazon 2018 without a header: item, user, rating, time.
  case amazon2018 = "amazon-2018"

  /// The delimiter, if the format decides it.
  var delimiter: Delimiter? {
    switch self {
    case .csv, .amazon2014, .amazon2018: .comma
    case .tsv, .recbole, .mmrec: .tab
    case .semicolon: .semicolon
    case .delimited, .jsonLines, .jsonSplit, .pairs: nil
    }
  }

  /// The order of columns, if the format has no header and decides it.
  var order: [ColumnRole]? {
    switch self {
    case .amazon2014: [.user, .item, .rating, .time]
    case .amazon2018: [.item, .user, .rating, .time]
    default: nil
    }
  }

  /// Whether quotes are part of the format. RecBole and MMRec write them as they are.
  var hasQuotes: Bool { self != .recbole && self != .mmrec }

  /// Recognises the format of a file by its beginning.
  static func find(in beginning: UnsafeRawBufferPointer) -> SourceFormat {
    let lines = beginning.prefix(1 << 16)
      .split(separator: UInt8(ascii: "\n"), maxSplits: 16, omittingEmptySubsequences: true)
      .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
      .filter { !$0.isEmpty }
    guard let first = lines.first else { return .delimited }
    if first.first(where: { $0 != 0x20 && $0 != 0x09 }) == UInt8(ascii: "{") { return .jsonLines }
    let fields = first.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    if fields.count > 1, fields.allSatisfy({ isTyped($0) }) { return .recbole }
    // The last line may be cut off.
    let whole = lines.count > 1 ? lines.dropLast() : lines[...]
    return whole.allSatisfy { isPair($0) } && whole.contains { $0.contains(0x20) }
      ? .pairs : .delimited
  }

  /// Whether a field of a header is RecBole's `name:type`.
  private static func isTyped(_ field: Slice<UnsafeRawBufferPointer>) -> Bool {
    let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    return parts.count == 2
      && ["token", "token_seq", "float", "float_seq"].contains { parts[1].elementsEqual($0.utf8) }
  }

  /// Whether a line is `user TAB item item item`, all of them words of digits and letters.
  private static func isPair(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
    let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    guard fields.count == 2, !fields[0].isEmpty, !fields[0].contains(0x20) else { return false }
    let items = fields[1].split(separator: 0x20)
    return !items.isEmpty && items.allSatisfy { item in item.contains { 0x30...0x39 ~= $0 } }
      && fields[1].allSatisfy { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") }
  }
}
