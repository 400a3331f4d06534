import Messages

/// Which versions of its tables a server owes to disk: at most one is being written, and at most
/// one that the coordinator named waits for its turn.
///
/// A checkpoint needs the rows of all servers at one version. A server whose disk is slower than
/// versions are due therefore takes only every second, fourth, … of them, counted from version 0:
/// of servers of any speed the slowest decides which versions they have in common.
package struct CheckpointDuty: Sendable {
  /// When versions are due without being asked for; nil: never.
  package var plan: CheckpointPlan?
  /// What the coordinator has not said that it heard of: repeated with every heartbeat.
  package private(set) var unseen: CheckpointShard?
  /// What was written last in this generation.
  private var lastWritten: CheckpointShard?
  private var writing: UInt64?
  /// Of so many due versions one is written; a power of two.
  private var stride: UInt64 = 1
  /// How many were due while the disk was busy with this one, or with the last.
  private var passedCount: UInt64 = 0
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
    let isDue = isNew && plan?.isDue(atVersion: version) == true
    guard isWanted || isDue else { return false }
    // One that is due while the disk is busy is skipped; one that is wanted waits.
    guard writing == nil else {
      if isWanted, writing == version { wanted = nil }
      if isDue { passedCount += 1 }
      return false
    }
    guard isWanted || isTaken(version) else { return false }
    if isWanted { wanted = nil }
    writing = version
    passedCount = 0
    return true
  }

  /// Whether a version that is due is one of those that are written on a disk as slow as this one.
  private func isTaken(_ version: UInt64) -> Bool {
    guard let interval = plan?.interval, interval > 0 else { return false }
    return version / interval % stride == 0
  }

  /// Goes by how long the last version took, one step at a time: a disk that stalls once is as fast
  /// as before.
  private mutating func adaptStride() {
    let spannedCount = passedCount + 1
    if spannedCount > stride {
      stride = min(stride * 2, Self.longestStride)
    } else if spannedCount * 2 <= stride {
      stride /= 2
    }
  }

  private static let longestStride: UInt64 = 1 << 20

  package mutating func written(_ shard: CheckpointShard) {
    writing = nil
    adaptStride()
    unseen = shard
    lastWritten = shard
  }

  package mutating func failed() { writing = nil }

  package mutating func seen(_ version: UInt64) {
    if let unseen, unseen.version <= version { self.unseen = nil }
  }
}
