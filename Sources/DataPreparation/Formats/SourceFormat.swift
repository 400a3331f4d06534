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
  /// A user and the user's items with blanks between them, as of MicroLens (a tab after the user),
  /// LightGCN and S³-Rec (a blank) and SELFRec (a colon).
  case pairs
  /// The number of items and the items of one user per line, as of CiteULike.
  case countedLists = "counted-lists"
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
    case .delimited, .jsonLines, .jsonSplit, .pairs, .countedLists: nil
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

  /// Whether a row is an entry of a list of items, so that its place is what is known of its time.
  var isListOfItems: Bool { self == .pairs || self == .countedLists }

  /// Whether quotes are part of the format. RecBole and MMRec write them as they are.
  var hasQuotes: Bool { self != .recbole && self != .mmrec }

  /// Recognises the format of a file by its beginning.
  static func find(in beginning: UnsafeRawBufferPointer) -> SourceFormat {
    let lines = beginning.prefix(1 << 16)
      .split(separator: UInt8(ascii: "\n"), maxSplits: 16, omittingEmptySubsequences: true)
      .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
      .filter { !$0.isEmpty }
    guard let first = lines.first else { return .delimited }
    // A list of objects is no format that is read, but what is to be done about it is known there.
    let marks = beginning.prefix(256).filter { $0 > 0x20 }
    if marks.starts(with: "{".utf8) || marks.starts(with: "[{".utf8) { return .jsonLines }
    let fields = first.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    if fields.count > 1, fields.allSatisfy({ isTyped($0) }) { return .recbole }
    // The last line may be cut off, or be all the others.
    let last = lines[lines.count - 1]
    let isWhole =
      lines.count == 1 || (beginning.count < 1 << 16 && !last.contains(UInt8(ascii: "\n")))
    let whole = isWhole ? lines[...] : lines.dropLast()
    return ListLine.format(of: whole.map { UnsafeRawBufferPointer(rebasing: $0) }) ?? .delimited
  }

  /// Whether a field of a header is RecBole's `name:type`.
  private static func isTyped(_ field: Slice<UnsafeRawBufferPointer>) -> Bool {
    let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    return parts.count == 2
      && ["token", "token_seq", "float", "float_seq"].contains { parts[1].elementsEqual($0.utf8) }
  }
}
