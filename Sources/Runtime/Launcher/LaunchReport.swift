import Foundation

/// How a group of processes ended.
public struct LaunchReport: Sendable, Equatable {
  /// In the order in which they were started.
  public var children: [ChildResult]
  /// With which code the launcher itself should end.
  public var exitCode: ExitCode
  /// The signal with which a person stopped the group, if one did.
  public var stopSignal: Int32?
  /// Index of the child whose failure ended the group, if one failed.
  public var culprit: Int?

  /// CPU seconds of all children together.
  public var cpuSeconds: Double { children.reduce(0) { $0 + $1.cpuSeconds } }

  /// One line per child with what it used, as a table for people.
  public func table() -> String {
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

  /// Who failed, how, and the last lines of its log; nil if nobody did.
  public func failureMessage() -> String? {
    guard let culprit else { return nil }
    let child = children[culprit]
    let restarts = child.restarts == 1 ? "1 restart" : "\(child.restarts) restarts"
    let cause = child.sentence + (child.restarts == 0 ? "" : ", after \(restarts)")
    guard !child.logPath.isEmpty else {
      return "the run was ended because \(cause)"
    }
    let tail = LogTail.lines(of: child.logPath, limit: 8)
    let shown =
      tail.isEmpty ? "it wrote nothing" : "its last lines:\n" + tail.map { "  \($0)\n" }.joined()
    return "the run was ended because \(cause); log '\(child.logPath)', \(shown)"
  }
}
