import Protocol

/// Counters of a server since it was set up.
package struct ServerStatistics: Sendable, Equatable {
  /// Answered pulls.
  package internal(set) var pulls = 0
  /// Pulls that had to wait.
  package internal(set) var parkedPulls = 0
  /// The greatest staleness of the rows of a reply, in versions.
  package internal(set) var greatestStaleness: UInt64 = 0
  /// Rows in replies.
  package internal(set) var rowsPulled = 0
  /// Bytes of row values in replies.
  package internal(set) var bytesPulled = 0
  /// Accepted pushes: gradients and assignments.
  package internal(set) var pushes = 0
  /// Repeated pushes, which changed nothing.
  package internal(set) var duplicates = 0
  /// Bytes of row values in accepted pushes.
  package internal(set) var bytesPushed = 0
  /// Answered reduce requests.
  package internal(set) var reduces = 0
  /// Updates of a row with a gradient; the gradients of all shards count as one.
  package internal(set) var rowsUpdated = 0
  /// Rows that returned to their initial values because no epoch had a gradient for them.
  package internal(set) var rowsExpired = 0
  /// Refused requests by reason.
  package internal(set) var refusals: [Refusal.Code: Int] = [:]

  /// All counters are 0.
  package init() {}

  /// Adds the counts of another server or generation.
  mutating func add(_ other: ServerStatistics) {
    pulls += other.pulls
    parkedPulls += other.parkedPulls
    greatestStaleness = max(greatestStaleness, other.greatestStaleness)
    rowsPulled += other.rowsPulled
    bytesPulled += other.bytesPulled
    pushes += other.pushes
    duplicates += other.duplicates
    bytesPushed += other.bytesPushed
    reduces += other.reduces
    rowsUpdated += other.rowsUpdated
    rowsExpired += other.rowsExpired
    refusals.merge(other.refusals, uniquingKeysWith: +)
  }
}

extension ServerStatistics: CustomStringConvertible {
  /// One line for a server's log.
  package var description: String {
    let refused = refusals.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.value) \(Self.words(for: $0.key))" }
    return [
      "pulls answered: \(pulls), of which \(parkedPulls) waited for an update; "
        + Self.megabytes(bytesPulled),
      "pushes applied: \(pushes), \(Self.megabytes(bytesPushed)); repeated ones: \(duplicates)",
      "requests refused: " + (refused.isEmpty ? "none" : refused.joined(separator: ", ")),
    ].joined(separator: "; ")
  }

  private static func megabytes(_ bytes: Int) -> String {
    let tenths = bytes / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }

  private static func words(for code: Refusal.Code) -> String {
    switch code {
    case .protocolVersion: "in another protocol version"
    case .wrongRun: "of another run"
    case .staleGeneration: "of an older generation"
    case .malformed: "malformed"
    case .notReady: "while tables were prepared"
    case .clusterFull: "beyond the members of the cluster"
    case .limit: "beyond a limit"
    case .diverged: "with values that are not finite"
    case .helloNeeded: "without a hello"
    case .versionSuperseded: "for a version that is over"
    }
  }
}
