import Datasets
import Files
import Foundation

/// Titles, categories and texts of items, kept on disk until all are read: a catalogue's texts can
/// be larger than memory.
final class ItemTexts {
  typealias Column = IdentifierTable.ItemColumn

  /// The columns that the source has.
  private(set) var columns: Set<Column> = []
  /// How many items have at least one text.
  private(set) var count = 0
  private let spoolPath: String
  private var spool: BufferedFile?
  private var spoolSize = 0
  /// Where the texts of an item are in the spool; -1: nowhere.
  private var positions: [Int]
  private var lengths: [Int32]

  /// - Parameters:
  ///   - folder: where the texts are kept meanwhile.
  ///   - itemCount: the number of items.
  init(folder: NewFolder, itemCount: Int) throws(DatasetError) {
    spoolPath = folder.path(of: "items.texts")
    spool = try BufferedFile(path: spoolPath)
    positions = Array(repeating: -1, count: itemCount)
    lengths = Array(repeating: 0, count: itemCount)
  }

  /// Keeps the texts of an item; those that come first, if there are several.
  func add(_ item: Int32, _ texts: [Column: String]) throws(DatasetError) {
    let index = Int(item)
    guard positions[index] < 0 else { return }
    let fields = Column.allCases.map { column in
      Self.oneLine(texts[column] ?? "", atMost: column == .text ? 32_768 : 4096)
    }
    guard fields.contains(where: { !$0.isEmpty }) else { return }
    for (column, field) in zip(Column.allCases, fields) where !field.isEmpty {
      columns.insert(column)
    }
    let line = fields.joined(separator: "\t")
    positions[index] = spoolSize
    lengths[index] = Int32(line.utf8.count)
    spoolSize += line.utf8.count
    count += 1
    try spool?.write(line)
  }

  /// Ends the additions and opens what was kept for reading.
  func finish() throws(DatasetError) -> Reader {
    try spool?.commit()
    spool = nil
    return try Reader(path: spoolPath, self)
  }

  /// Delivers what was kept, and removes the file.
  final class Reader {
    private let path: String
    private let descriptor: Int32
    private let texts: ItemTexts

    fileprivate init(path: String, _ texts: ItemTexts) throws(DatasetError) {
      self.path = path
      self.texts = texts
      do {
        descriptor = try PlainFile.open(path, .read)
      } catch {
        throw FileBytes.unreadable(path, error)
      }
    }

    deinit {
      close(descriptor)
      unlink(path)
    }

    /// The columns that the source has, in their order.
    var columns: [Column] { Column.allCases.filter { texts.columns.contains($0) } }

    /// The texts of an item, one per column; empty where nothing is known.
    func values(of item: Int) throws(DatasetError) -> [String] {
      guard !texts.columns.isEmpty else { return [] }
      guard texts.positions[item] >= 0 else { return columns.map { _ in "" } }
      var bytes = [UInt8](repeating: 0, count: Int(texts.lengths[item]))
      let read = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, $0.count, off_t(texts.positions[item]))
      }
      guard read == bytes.count else { throw FileBytes.unreadable(path, .system(EIO)) }
      let fields = String(decoding: bytes, as: UTF8.self)
        .split(separator: "\t", omittingEmptySubsequences: false)
      return zip(Column.allCases, fields).filter { texts.columns.contains($0.0) }
        .map { String($0.1) }
    }
  }

  /// A text without tabs, line breaks and other control characters, and without blanks around it,
  /// cut at the end of a letter.
  static func oneLine(_ text: String, atMost limit: Int) -> String {
    var result = String.UnicodeScalarView()
    var count = 0
    var isAfterBlank = true
    for scalar in text.unicodeScalars {
      let isBlank =
        scalar.value <= 0x20 || scalar.value == 0x7F || (0x80...0x9F).contains(scalar.value)
        || scalar.value == 0x2028 || scalar.value == 0x2029
      if isBlank {
        if !isAfterBlank { result.append(" ") }
        count += isAfterBlank ? 0 : 1
      } else {
        count += UTF8.width(scalar)
        guard count <= limit else { break }
        result.append(scalar)
      }
      isAfterBlank = isBlank
    }
    if result.last == " " { result.removeLast() }
    return String(result)
  }
}
