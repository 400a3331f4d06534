import Datasets
import Foundation

/// What an import reports while it reads, and how it can be stopped.
package protocol ImportObserver: AnyObject {
  /// Called about once per mebibyte.
  ///
  /// - Parameters:
  ///   - position: bytes read of all files of the import.
  ///   - size: bytes of all files.
  /// - Throws: an error that ends the import, if the user asked for that.
  func noteProgress(_ position: Int, of size: Int) throws(DatasetError)

  /// Something that the user may want to know: a line without its newline.
  func notify(_ line: String)

  /// Something that the user must know.
  func warn(_ line: String)
}

/// Reads text line by line without a copy: a line is a range of the buffer, valid until the next
/// call.
package final class LineReader {
  /// The longest line, bytes, and so the memory that a reader takes.
  package static let longestLine = 16 << 20
  private static let firstCapacity = 1 << 20

  package var path: String { stream.path }
  /// The number of the first line of the last record, from 1.
  package private(set) var lineNumber = 0

  private let stream: ByteStream
  private let onRefill: ((ByteStream) throws(DatasetError) -> Void)?
  private var buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: firstCapacity, alignment: 64)
  /// Where the record begins, where its first line and all its lines end (with their line ends),
  /// and where the bytes end.
  private var start = 0
  private var firstLineEnd = 0
  private var recordEnd = 0
  private var filled = 0
  private var isAtEnd = false
  /// Lines of the record.
  private var lineCount = 0

  /// - Parameter onRefill: called after every read.
  /// - Throws: ``DatasetError`` if the file cannot be read or is no UTF-8 text by its first bytes.
  package init(
    path: String, onRefill: ((ByteStream) throws(DatasetError) -> Void)? = nil
  ) throws(DatasetError) {
    stream = try ByteStream(path: path)
    self.onRefill = onRefill
    while filled < Self.firstCapacity, !isAtEnd { try fill() }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
    try TextEncoding.check(bytes, isUnpacked: stream.isUnpacked, path: path)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { recordEnd = 3 }
  }

  deinit { buffer.deallocate() }

  /// The first bytes of the text, without a byte order mark; up to a mebibyte. Valid until the
  /// first call of ``next()``.
  package var beginning: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: buffer[recordEnd..<filled])
  }

  /// The next line without its line end; nil at the end of the file.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be read, or a line is too long.
  package func next() throws(DatasetError) -> UnsafeMutableRawBufferPointer? {
    start = recordEnd
    lineNumber += lineCount
    if lineNumber == 0 { lineNumber = 1 }
    lineCount = 0
    guard try findLineEnd(from: start) else { return nil }
    firstLineEnd = recordEnd
    return record
  }

  /// The last record with one more line, for quoted fields with line breaks; nil at the end of the
  /// file.
  func extend() throws(DatasetError) -> UnsafeMutableRawBufferPointer? {
    try findLineEnd(from: recordEnd) ? record : nil
  }

  /// Takes back the lines of ``extend()``: they are read again.
  func rewind() {
    recordEnd = firstLineEnd
    lineCount = 1
  }

  /// From the start to the end of the last line, without its line end.
  private var record: UnsafeMutableRawBufferPointer {
    var end = recordEnd
    if end > start, buffer[end - 1] == UInt8(ascii: "\n") { end -= 1 }
    if end > start, buffer[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return UnsafeMutableRawBufferPointer(rebasing: buffer[start..<end])
  }

  /// Moves ``recordEnd`` behind the line that begins there.
  ///
  /// - Returns: false if there is none.
  private func findLineEnd(from position: Int) throws(DatasetError) -> Bool {
    // Relative to `start`, because filling moves the bytes.
    let offset = position - start
    var searched = offset
    while true {
      let from = start + searched
      if let base = buffer.baseAddress, from < filled,
        let found = memchr(base + from, Int32(UInt8(ascii: "\n")), filled - from)
      {
        recordEnd = UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
        lineCount += 1
        return true
      }
      searched = filled - start
      guard !isAtEnd else {
        guard start + offset < filled else { return false }
        recordEnd = filled
        lineCount += 1
        return true
      }
      try fill()
    }
  }

  /// Reads more bytes behind those of the record.
  private func fill() throws(DatasetError) {
    if start > 0, let base = buffer.baseAddress {
      memmove(base, base + start, filled - start)
      firstLineEnd -= start
      recordEnd -= start
      filled -= start
      start = 0
    }
    if filled == buffer.count {
      guard buffer.count < Self.longestLine else {
        throw DatasetError(
          .malformed, path: path, line: lineNumber,
          "begins a record of more than \(Self.longestLine >> 20) MiB: this is no file with one "
            + "record per line, or a quote is not closed")
      }
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: min(2 * buffer.count, Self.longestLine), alignment: 64)
      larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
      buffer.deallocate()
      buffer = larger
    }
    let count = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
    filled += count
    isAtEnd = count == 0
    try onRefill?(stream)
  }
}
