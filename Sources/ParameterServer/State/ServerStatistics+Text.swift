import Messages

extension ServerStatistics: CustomStringConvertible {
  /// One line for a server's log.
  public var description: String {
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
    case .versionGone: "for a version that is over"
    }
  }
}
