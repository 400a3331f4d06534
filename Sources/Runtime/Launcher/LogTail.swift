import Foundation

/// The end of a log file.
enum LogTail {
  private static let byteLimit: UInt64 = 16_384

  /// The last `limit` lines of the file that are not empty; none if it cannot be read.
  static func lines(of path: String, limit: Int) -> [String] {
    guard let file = FileHandle(forReadingAtPath: path) else { return [] }
    defer { try? file.close() }
    guard let end = try? file.seekToEnd() else { return [] }
    let start = end > byteLimit ? end - byteLimit : 0
    guard (try? file.seek(toOffset: start)) != nil,
      let bytes = try? file.read(upToCount: Int(byteLimit))
    else { return [] }
    let lines = String(decoding: bytes, as: UTF8.self)
      .split(whereSeparator: \.isNewline).map(String.init)
    return Array(lines.suffix(limit))
  }
}
