import Files

/// The original ids of a data set's users or items, by dense id, and what is known of items:
/// titles, categories and texts.
///
/// The file stays mapped: memory is about 16 bytes per row. Two layouts are read: `users.tsv` and
/// `items.tsv`, whose rows are in the order of dense ids, and MMRec's `u_id_mapping.csv` and
/// `i_id_mapping.csv` (separated by tabs in spite of their name), whose rows may have any order.
public final class IdentifierTable: Sendable {
  /// Whose ids.
  public enum Kind: Sendable, CaseIterable {
    case users
    case items

    /// The names of files that are looked for, the first of which is written.
    package var files: [String] {
      switch self {
      case .users: ["users.tsv", "u_id_mapping.csv"]
      case .items: ["items.tsv", "i_id_mapping.csv"]
      }
    }

    /// The names of the columns of dense ids, then of original ids, that are read; the first of
    /// each is written.
    var columns: (dense: [String], id: [String]) {
      switch self {
      case .users: (["userID"], ["id", "user_id"])
      case .items: (["itemID"], ["id", "asin", "item_id"])
      }
    }

    /// For messages: `user`.
    package var word: String {
      switch self {
      case .users: "user"
      case .items: "item"
      }
    }
  }

  /// What an item has in further columns.
  public enum ItemColumn: String, Sendable, CaseIterable {
    case title
    case categories
    case text
  }

  public let path: String
  public let kind: Kind
  /// The columns that the file has, in its order.
  public let columns: [ItemColumn]
  private let mapping: MappedFile
  /// Where the line of each dense id begins in the file.
  private let starts: [Int]
  private let layout: Layout
  private let index: IdentifierIndex

  /// The position of each column that is used.
  struct Layout: Sendable {
    let count: Int
    let dense: Int
    let id: Int
    let others: [Int]
    /// Whether row n must be dense id n.
    let isOrdered: Bool
  }

  /// How many ids there are.
  public var count: Int { starts.count }

  /// Reads a table of ids.
  ///
  /// - Throws: ``DatasetError`` with the line of a row that is not one of the table: another number
  ///   of columns, a dense id that is missing, out of order or repeated, an id that is empty,
  ///   repeated or not UTF-8.
  public init(path: String, kind: Kind) throws(DatasetError) {
    self.path = path
    self.kind = kind
    mapping = try MappedFile(path: path)
    let bytes = mapping.bytes
    var reader = IdentifierLines(bytes: bytes, path: path, kind: kind)
    let layout: Layout
    (layout, columns) = try reader.header()
    let rows = try reader.rows(layout)
    let key = { (row: Int) in Self.field(layout.id, of: rows.starts[row], in: bytes) }
    self.layout = layout
    starts = rows.starts
    index = try IdentifierIndex(count: rows.starts.count, key: key) { earlier, later in
      let lines = [earlier, later].map { rows.line(of: $0) }.sorted()
      let id = String(decoding: key(later), as: UTF8.self)
      return DatasetError(
        .malformed, path: path, line: lines[1],
        "repeats the \(kind.word) id '\(id.sanitized(atMost: 64))' of line \(lines[0]): every id "
          + "may have one row")
    }
  }

  /// The original id of a dense id.
  ///
  /// - Precondition: `0 <= dense < count`.
  public func id(of dense: Int) -> String { String(decoding: idBytes(of: dense), as: UTF8.self) }

  /// The bytes of an original id; valid while the table lives.
  ///
  /// - Precondition: `0 <= dense < count`.
  package func idBytes(of dense: Int) -> UnsafeRawBufferPointer {
    Self.field(layout.id, of: starts[dense], in: mapping.bytes)
  }

  /// The dense id of an original id; nil if the table does not have it.
  public func dense(of id: String) -> Int? {
    var id = id
    return id.withUTF8 { dense(of: UnsafeRawBufferPointer($0)) }
  }

  /// The dense id of an original id in UTF-8; nil if the table does not have it.
  package func dense(of id: UnsafeRawBufferPointer) -> Int? {
    index.find(id) { idBytes(of: $0) }
  }

  /// What an item has in a column; nil if the file lacks the column or the item has nothing in it.
  ///
  /// - Precondition: `0 <= dense < count`.
  public func value(_ column: ItemColumn, of dense: Int) -> String? {
    guard let position = columns.firstIndex(of: column) else { return nil }
    let bytes = Self.field(layout.others[position], of: starts[dense], in: mapping.bytes)
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// The categories of an item; empty if none are known.
  ///
  /// - Precondition: `0 <= dense < count`.
  public func categories(of dense: Int) -> [String] {
    guard var rest = value(.categories, of: dense)?[...] else { return [] }
    var categories: [String] = []
    while let range = rest.firstRange(of: IdentifierTableWriter.categorySeparator) {
      categories.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return categories + [String(rest)]
  }

  /// A column of the line that begins at `start`.
  private static func field(
    _ column: Int, of start: Int, in bytes: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    var first = start
    for _ in 0..<column { first = IdentifierLines.fieldEnd(from: first, in: bytes) + 1 }
    let end = IdentifierLines.fieldEnd(from: first, in: bytes)
    return UnsafeRawBufferPointer(rebasing: bytes[first..<end])
  }
}
