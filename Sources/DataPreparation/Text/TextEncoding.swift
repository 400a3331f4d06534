import Datasets
import Files

/// Recognises by its first bytes what cannot be read as UTF-8 text, and says what to do.
enum TextEncoding {
  /// - Parameters:
  ///   - start: the first bytes of the (unpacked) file.
  ///   - isUnpacked: whether the bytes are from an archive.
  ///   - path: for the message.
  /// - Throws: ``DatasetError`` for UTF-16 and UTF-32, for known files of other kinds, and for
  ///   lines that end with carriage returns alone.
  static func check(
    _ start: UnsafeRawBufferPointer, isUnpacked: Bool = false, path: String
  ) throws(DatasetError) {
    if isUnpacked, ByteStream.isArchive(start) {
      throw DatasetError(
        .malformed, path: path,
        "was packed twice: unpack it once, with gunzip or unzstd, and import the result")
    }
    if start.starts(with: [0x93] + Array("NUMPY".utf8)) {
      throw DatasetError(
        .malformed, path: path,
        "cannot be imported: it is an npy file of NumPy, such as features of items; they are added "
          + "to a folder with interactions: mrdib data features FOLDER --add NAME=FILE")
    }
    if let encoding = wideEncoding(start) {
      throw DatasetError(
        .malformed, path: path,
        "is \(encoding.uppercased()) text, but only UTF-8 can be read: convert it with "
          + "iconv -f \(encoding) -t utf-8 OLD > NEW")
    }
    if let kind = ContentKind.sentence(start, isJSONExpected: true) {
      throw DatasetError(.malformed, path: path, "cannot be imported: \(kind)")
    }
    let lineFeed = UInt8(ascii: "\n")
    let carriageReturn = UInt8(ascii: "\r")
    let firstLine = start.prefix { $0 != lineFeed }
    let isBinary = firstLine.contains { $0 < 0x20 && ![0x09, carriageReturn].contains($0) }
    guard !isBinary else {
      throw DatasetError(
        .malformed, path: path, line: 1,
        "has control characters, so this is no text file, or a damaged one: export the data as CSV")
    }
    if let end = start.firstIndex(of: carriageReturn), end + 1 < start.count,
      !start.contains(lineFeed)
    {
      throw DatasetError(
        .malformed, path: path,
        "has lines that end with carriage returns alone, as on old Macs: convert it with "
          + "tr '\\r' '\\n' < OLD > NEW")
    }
  }

  /// The name for `iconv` of an encoding with more than one byte per letter.
  private static func wideEncoding(_ start: UnsafeRawBufferPointer) -> String? {
    if start.starts(with: [0xFF, 0xFE, 0, 0]) || start.starts(with: [0, 0, 0xFE, 0xFF]) {
      return "utf-32"
    }
    if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) { return "utf-16" }
    // Without a mark: plain letters have a NUL as their upper half.
    let sample = start.prefix(256)
    guard sample.count >= 8 else { return nil }
    let halves = [0, 1].map { half in
      sample.indices.count { $0 % 2 == half && sample[$0] == 0 }
    }
    let enough = sample.count / 4
    if halves[1] > enough && halves[0] == 0 { return "utf-16le" }
    if halves[0] > enough && halves[1] == 0 { return "utf-16be" }
    return nil
  }

  /// What to do about bytes that are not UTF-8.
  static let advice =
    "if the file is in Latin-1 or Windows-1252, convert it with "
    + "iconv -f windows-1252 -t utf-8 OLD > NEW"
}

/// Whether bytes are UTF-8 text. Twice as fast as the standard library's for short texts, because
/// nearly all ids are ASCII.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
}
