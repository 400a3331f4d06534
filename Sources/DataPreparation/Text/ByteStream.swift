import Datasets
import Files
import Foundation

/// Something that delivers bytes in order.
protocol ByteSource: AnyObject {
  /// Fills the beginning of a buffer.
  ///
  /// - Returns: the number of bytes; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int
}

/// The text of a file: plain, or unpacked from gzip or zstd, which its first bytes show.
package final class ByteStream {
  package let path: String
  /// The size of the file, bytes; packed if it is an archive.
  package var fileSize: Int { file.size }
  /// How many bytes of the file were read, packed if it is an archive.
  package var filePosition: Int { file.position }
  /// Whether the file is an archive.
  var isUnpacked: Bool { !(source is FileBytes) }
  private let file: FileBytes
  private let source: any ByteSource

  /// - Throws: ``DatasetError`` if the file cannot be opened or is no regular file.
  package init(path: String) throws(DatasetError) {
    self.path = path
    let start: [UInt8]
    do {
      start = try PlainFile.beginning(of: path, byteCount: 4)
    } catch {
      throw FileBytes.unreadable(path, error)
    }
    file = try FileBytes(path: path)
    source =
      if start.starts(with: Self.gzip) {
        try GzipBytes(file)
      } else if start == Self.zstd {
        try ZstdBytes(file)
      } else {
        file
      }
  }

  /// Whether bytes begin an archive that is unpacked here.
  static func isArchive(_ start: some Sequence<UInt8>) -> Bool {
    start.starts(with: gzip) || start.starts(with: zstd)
  }

  private static let gzip: [UInt8] = [0x1F, 0x8B]
  private static let zstd: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

  /// Fills the beginning of a buffer.
  ///
  /// - Returns: the number of bytes; 0 at the end.
  /// - Throws: ``DatasetError`` if the file cannot be read, or an archive is damaged or cut off.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    try source.read(into: buffer)
  }
}

/// The bytes of a file as they are.
final class FileBytes: ByteSource {
  let path: String
  let size: Int
  private(set) var position = 0
  private let descriptor: Int32

  init(path: String) throws(DatasetError) {
    self.path = path
    do {
      descriptor = try PlainFile.open(path, .read)
    } catch {
      throw Self.unreadable(path, error)
    }
    var status = stat()
    size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  deinit { close(descriptor) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.unreadable(path, .system(errno)) }
      position += count
      return count
    }
  }

  static func unreadable(_ path: String, _ problem: FileProblem) -> DatasetError {
    DatasetError(
      problem.isMissing ? .notFound : .unreadable, path: path,
      "cannot be opened for reading: \(problem.reason)")
  }
}

/// The packed bytes that an unpacker has not used yet; the same for all kinds of archives.
final class PackedInput {
  private static let byteCount = 256 << 10

  let file: FileBytes
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
  private(set) var count = 0
  /// Where the unused bytes begin.
  var position = 0

  init(_ file: FileBytes) { self.file = file }

  deinit { buffer.deallocate() }

  var unusedCount: Int { count - position }

  /// Reads more if all bytes are used.
  ///
  /// - Returns: false at the end of the file.
  func refill() throws(DatasetError) -> Bool {
    guard unusedCount == 0 else { return true }
    count = try file.read(into: buffer)
    position = 0
    return count > 0
  }
}
