import Files
import Foundation

/// The end of a log file.
enum LogTail {
  private static let byteLimit = 16_384

  /// The last `limit` lines of the file that are not empty; none if it cannot be read.
  static func lines(of path: String, limit: Int) -> [String] {
    guard let descriptor = try? PlainFile.open(path, .read) else { return [] }
    defer { close(descriptor) }
    let end = lseek(descriptor, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: byteLimit)
    let count = bytes.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress, $0.count, max(0, end - off_t(byteLimit)))
    }
    guard count > 0 else { return [] }
    bytes.removeLast(bytes.count - count)
    let lines = String(decoding: bytes, as: UTF8.self)
      .split(whereSeparator: \.isNewline).map(String.init)
    return Array(lines.suffix(limit))
  }
}
