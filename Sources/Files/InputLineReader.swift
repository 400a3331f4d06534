#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads the lines of a text as they arrive, from a file or from a descriptor such as standard
/// input. It holds one line and a part of the next ones at a time.
///
/// For ids that another program may be writing just now: it waits for lines and can say whether one
/// is there. Files of data have a reader of their own in `DataPreparation`, which unpacks archives
/// and passes lines on without a copy.
package final class InputLineReader {
  /// A line cannot be read.
  package struct Failure: Error {
    /// From 1.
    package let line: Int
    /// As words after a colon.
    package let reason: String
  }

  /// The most bytes of a line.
  package static let longestLine = 64 << 10

  private static let lineFeed = UInt8(ascii: "\n")
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private let descriptor: Int32
  private let isOwner: Bool
  /// What was read; lines before `position` were returned.
  private var buffer: [UInt8] = []
  private var position = 0
  private var isAtEnd = false
  /// The number of the line that was returned last, from 1.
  package private(set) var line = 0

  /// Reads a regular file.
  package init(path: String) throws(FileProblem) {
    descriptor = try PlainFile.open(path, .read)
    isOwner = true
  }

  /// Reads from a descriptor, which stays open.
  package init(descriptor: Int32) {
    self.descriptor = descriptor
    isOwner = false
  }

  /// Reads standard input.
  package static func standardInput() -> InputLineReader {
    InputLineReader(descriptor: STDIN_FILENO)
  }

  deinit {
    if isOwner { close(descriptor) }
  }

  /// The next line without its end (LF or CR LF) and without a byte order mark; nil after the last.
  /// Waits until the line is there.
  ///
  /// - Throws: ``Failure`` for a line that is not UTF-8 or longer than ``longestLine``, and when
  ///   reading fails.
  package func next() throws(Failure) -> String? {
    while true {
      if let end = buffer[position...].firstIndex(of: Self.lineFeed) {
        defer { position = end + 1 }
        return try text(position..<end)
      }
      if isAtEnd {
        guard position < buffer.count else { return nil }
        defer { position = buffer.count }
        return try text(position..<buffer.count)
      }
      guard buffer.count - position <= Self.longestLine else {
        throw Failure(line: line + 1, reason: "it has more than \(Self.longestLine) bytes")
      }
      try fill()
    }
  }

  /// Whether ``next()`` need not wait for more input.
  package var isNextReady: Bool {
    if isAtEnd || buffer[position...].contains(Self.lineFeed) { return true }
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 0) != 0
  }

  private func text(_ range: Range<Int>) throws(Failure) -> String {
    line += 1
    var bytes = buffer[range]
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    if line == 1, bytes.starts(with: Self.byteOrderMark) {
      bytes.removeFirst(Self.byteOrderMark.count)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(line: line, reason: "it is not UTF-8 text")
    }
    return text
  }

  private func fill() throws(Failure) {
    buffer.removeFirst(position)
    position = 0
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        isAtEnd = count == 0
        buffer += chunk[..<count]
        return
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Another program with the same pipe or terminal made it non-blocking.
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&request, 1, -1)
      case let code:
        throw Failure(line: line + 1, reason: String(cString: strerror(code)))
      }
    }
  }
}
