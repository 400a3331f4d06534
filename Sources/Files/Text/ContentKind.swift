/// Recognises what a file is by its first bytes, for messages about files with a misleading name.
package enum ContentKind {
  /// The number of first bytes that are needed.
  package static let byteCount = 512

  /// - Parameters:
  ///   - bytes: the beginning of a file.
  ///   - isJSONExpected: whether JSON is what the file should be.
  /// - Returns: what it is and what to do, such as `it is a gzip archive; unpack it with gunzip`;
  ///   nil if it is not recognised.
  package static func sentence(
    _ bytes: some Sequence<UInt8>, isJSONExpected: Bool = false
  ) -> String? {
    let start = Array(bytes.prefix(byteCount))
    if start.isEmpty { return "it is empty; copy or export it again" }
    if start.dropFirst(tarMark.offset).starts(with: tarMark.bytes) {
      return "it is a tar archive of files; unpack it with tar -xf"
    }
    if start.starts(with: zip), officeMembers.contains(where: { start.firstRange(of: $0) != nil }) {
      return "it is an Excel or other Office file; save the table as CSV"
    }
    if let known = signatures.first(where: { start.starts(with: $0.bytes) }) {
      return known.sentence
    }
    let text = start.drop { [0x09, 0x0A, 0x0D, 0x20, 0xEF, 0xBB, 0xBF].contains($0) }
    let word = String(decoding: text.prefix(16), as: UTF8.self).lowercased()
    if ["<!doctype html", "<html"].contains(where: word.hasPrefix) {
      return "it is a web page, perhaps an error page that was downloaded in place of the file; "
        + "download it again"
    }
    if word.hasPrefix("<") { return "it is XML or a web page; export or download it again" }
    let isJSON = word.hasPrefix("{") || word.hasPrefix("[")
    return isJSON && !isJSONExpected ? "it looks like JSON text" : nil
  }

  private static let zip = Array("PK\u{3}\u{4}".utf8)
  /// What the first headers of tar archives have at an offset.
  private static let tarMark = (offset: 257, bytes: Array("ustar".utf8))
  /// Members with which files of Office begin.
  private static let officeMembers = ["[Content_Types].xml", "_rels/.rels", "docProps/", "xl/"]
    .map { Array($0.utf8) }

  private static let signatures: [(bytes: [UInt8], sentence: String)] = [
    ([0x1F, 0x8B], "it is a gzip archive; unpack it with gunzip"),
    (Array("BZh".utf8), "it is a bzip2 archive; unpack it with bunzip2"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "it is an xz archive; unpack it with unxz"),
    ([0x28, 0xB5, 0x2F, 0xFD], "it is a zstd archive; unpack it with unzstd"),
    (zip, "it is a zip archive (perhaps an .npz); unpack it with unzip"),
    ([0x89] + Array("HDF".utf8), "it is an HDF5 file; export the data from it"),
    (Array("PAR1".utf8), "it is a Parquet file; export the data from it, such as to CSV"),
    (Array("SQLite format 3".utf8), "it is a SQLite database"),
    ([0x93] + Array("NUMPY".utf8), "it is an npy file of NumPy"),
    ([0x80, 0x02], "it is a Python pickle; export the data from it"),
    ([0x80, 0x03], "it is a Python pickle; export the data from it"),
    ([0x80, 0x04], "it is a Python pickle; export the data from it"),
    ([0x80, 0x05], "it is a Python pickle; export the data from it"),
    ([0xFF, 0xFE], "it is UTF-16 text; save it as UTF-8"),
    ([0xFE, 0xFF], "it is UTF-16 text; save it as UTF-8"),
    (
      Array("version https://git-lfs".utf8),
      "it is a Git LFS pointer in place of the file; fetch the file with 'git lfs pull'"
    ),
    (
      Array("/annex/objects/".utf8),
      "it is a git-annex pointer in place of the file; fetch the file with 'git annex get'"
    ),
  ]
}
