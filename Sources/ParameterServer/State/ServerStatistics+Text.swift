import Messages

extension ServerStatistics: CustomStringConvertible {
  /// One line for a server's log, with what was refused by reason.
  public var description: String {
    let refused = refusals.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.value) \($0.key)" }
    return [
      "\(pulls) pulls answered (\(parkedPulls) had to wait), \(bytesPulled) bytes",
      "\(pushes) pushes taken, \(bytesPushed) bytes, and \(duplicates) that were there already",
      "\(rowsUpdated) updates of rows",
      "refused: \(refused.isEmpty ? "none" : refused.joined(separator: ", "))",
    ].joined(separator: "; ")
  }
}
