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
    let header = ["process", "ended with", "elapsed", "cpu", "peak memory"]
    let rows = children.map { child in
      [
        child.name, child.endingText, String(format: "%.1f s", child.elapsedSeconds),
        String(format: "%.1f s", child.cpuSeconds),
        String(format: "%.1f MiB", Double(child.peakResidentBytes) / 1_048_576),
      ]
    }
    let widths = header.indices.map { column in
      ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    return ([header] + rows).map { row in
      zip(row, widths).enumerated().map { column, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < 2 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// Who failed, how, and the last lines of its log; nil if nobody did.
  public func failureMessage() -> String? {
    guard let culprit else { return nil }
    let child = children[culprit]
    guard !child.logPath.isEmpty else {
      return "\(child.name) ended with \(child.endingText), so the run was ended"
    }
    let tail = LogTail.lines(of: child.logPath, limit: 8)
    let shown =
      tail.isEmpty ? "it wrote nothing" : "its last lines:\n" + tail.map { "  \($0)\n" }.joined()
    return "\(child.name) ended with \(child.endingText), so the run was ended; log "
      + "'\(child.logPath)', \(shown)"
  }
}
