/// How long people have heard nothing of checkpoints, good or bad: servers may write versions that
/// never come together, and a disk that stalls says nothing.
struct CheckpointSilence: Sendable, Equatable {
  /// After how many due versions to warn first.
  static let firstPatience: UInt64 = 4

  private struct Beginning: Sendable, Equatable {
    let version: UInt64
    let time: Double
  }

  private var since: Beginning?
  /// After a warning twice what that told of: a disk may be too slow for a whole run.
  private var patience = firstPatience

  /// There was news, or the tables begin anew.
  mutating func end() { since = nil }

  /// - Parameters:
  ///   - version: that all servers have reached.
  ///   - interval: from one version that is due to the next; 0: none is.
  ///   - timeout: how long to be patient at least, seconds.
  /// - Returns: how many due versions have passed, if that is worth a warning.
  mutating func isTooLong(
    at version: UInt64, interval: UInt64, timeout: Double, now: Double
  ) -> UInt64? {
    guard interval > 0 else { return nil }
    guard let since, version >= since.version else {
      self.since = Beginning(version: version, time: now)
      return nil
    }
    let passed = version / interval - since.version / interval
    guard passed >= patience, now - since.time > timeout else { return nil }
    patience = passed > .max / 2 ? .max : passed * 2
    return passed
  }
}
