import Files

/// The framing of TFRecord files: a length, its checksum, the content, its checksum.
///
/// - Source: TensorFlow's `lib/io/record_writer.h`.
package enum TFRecord {
  /// The bytes of length and checksum in front of the content.
  private static let headerByteCount = 12
  private static let checksumByteCount = 4

  /// A record with this content.
  package static func framed(_ content: [UInt8]) -> [UInt8] {
    var bytes = little(UInt64(content.count))
    bytes += little(MaskedCRC32C.checksum(bytes))
    return bytes + content + little(MaskedCRC32C.checksum(content))
  }

  /// The contents of a file, up to the first record that is incomplete or damaged: a process that
  /// is killed leaves such a record behind.
  package static func contents(of file: [UInt8]) -> [ArraySlice<UInt8>] {
    var records: [ArraySlice<UInt8>] = []
    var start = 0
    while start + headerByteCount <= file.count {
      let length = file[start..<start + 8]
      guard checksum(in: file, at: start + 8) == MaskedCRC32C.checksum(length) else { break }
      let declared = length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let first = start + headerByteCount
      guard let count = Int(exactly: declared), count <= file.count - first - checksumByteCount
      else { break }
      let content = file[first..<first + count]
      guard checksum(in: file, at: first + count) == MaskedCRC32C.checksum(content) else { break }
      records.append(content)
      start = first + count + checksumByteCount
    }
    return records
  }

  private static func checksum(in file: [UInt8], at offset: Int) -> UInt32 {
    file[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }
}
