import Messages

/// Which versions of its tables a server owes to disk: at most one is being written, and at most
/// one that the coordinator named waits for its turn.
package struct CheckpointDuty: Sendable {
  /// When versions are due without being asked for; nil: never.
  package var plan: CheckpointPlan?
  /// What the coordinator has not said that it heard of: repeated with every heartbeat.
  package private(set) var unseen: CheckpointShard?
  /// What was written last in this generation.
  private var lastWritten: CheckpointShard?
  private var writing: UInt64?
  /// The version that the coordinator named.
  private var wanted: UInt64?
  /// The last version that was looked at: a version is due once.
  private var seenVersion: UInt64?

  package init() {}

  /// A generation begins with a version that is on disk, or with the initial values. What is being
  /// written still is of the one before.
  package mutating func begin(at version: UInt64) {
    seenVersion = version
    wanted = nil
    unseen = nil
    lastWritten = nil
  }

  /// The coordinator wants the rows of this version.
  ///
  /// - Returns: the file, if there is one. It is never written again: it may be part of a
  ///   checkpoint by now, and the rows' bytes need not be the same any more (rows that made up for
  ///   missed steps, final vectors of an evaluation).
  package mutating func want(_ version: UInt64) -> CheckpointShard? {
    if let lastWritten, lastWritten.version == version { return lastWritten }
    wanted = version
    return nil
  }

  /// Looks at the version that the tables have now.
  ///
  /// - Returns: whether to write it.
  package mutating func reached(_ version: UInt64) -> Bool {
    let isNew = seenVersion != version
    seenVersion = version
    let isWanted = wanted == version
    guard isWanted || (isNew && plan?.isDue(atVersion: version) == true) else { return false }
    // One that is due while the disk is busy is skipped; one that is wanted waits.
    guard writing == nil else {
      if isWanted, writing == version { wanted = nil }
      return false
    }
    if isWanted { wanted = nil }
    writing = version
    return true
  }

  package mutating func written(_ shard: CheckpointShard) {
    writing = nil
    unseen = shard
    lastWritten = shard
  }

  package mutating func failed() { writing = nil }

  package mutating func seen(_ version: UInt64) {
    if let unseen, unseen.version <= version { self.unseen = nil }
  }
}
