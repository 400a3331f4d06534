import Files
import Foundation

/// How a group of processes ended.
package struct LaunchReport: Sendable, Equatable {
  /// In the order in which they were started.
  package var children: [ChildResult]
  /// The launcher's own exit code.
  package var exitCode: ExitCode
  /// The signal with which the user stopped the group, if it was stopped.
  package var stopSignal: Int32?
  /// The index of the child whose failure ended the group, if one failed.
  package var culprit: Int?

  /// CPU seconds of all children together.
  package var cpuSeconds: Double { children.reduce(0) { $0 + $1.cpuSeconds } }

  /// A text table with one line per child and its usage.
  package func table() -> String {
    let header = ["process", "ended with", "restarts", "elapsed", "cpu", "peak memory"]
    let rows = children.map { child in
      [
        child.name, child.endingText, "\(child.restarts)",
        String(format: "%.1f s", child.elapsedSeconds),
        String(format: "%.1f s", child.cpuSeconds),
        String(format: "%.1f MiB", Double(child.peakResidentBytes) / 1_048_576),
      ]
    }
    return TextTable(header: header, rows: rows, leftColumns: 2).text
  }

  /// Which child failed, how, and the last lines of its log; nil if none did.
  package func failureMessage() -> String? {
    guard let culprit else { return nil }
    let child = children[culprit]
    let restarts = child.restarts == 1 ? "1 restart" : "\(child.restarts) restarts"
    let cause = child.sentence + (child.restarts == 0 ? "" : ", after \(restarts)")
    guard !child.logPath.isEmpty else {
      return "the run ended because \(cause)"
    }
    let tail = LogTail.lines(of: child.logPath, limit: 8)
    let shown =
      tail.isEmpty ? "it wrote nothing" : "its last lines:\n" + tail.map { "  \($0)\n" }.joined()
    return "the run ended because \(cause); log '\(child.logPath)', \(shown)"
  }
}

/// The end of a log file.
enum LogTail {
  private static let byteLimit = 16_384

  /// The last `limit` non-empty lines of a file; none if it cannot be read.
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
