import Protocol

/// Decides which versions of its tables a server writes to disk. At most one is being written, and
/// at most one that the coordinator requested waits.
///
/// A checkpoint needs the rows of all servers at one version. So a server whose disk is too slow
/// for the interval writes only every second, fourth, … due version, counted from version 0. All
/// servers then have the versions of the slowest one in common.
package struct CheckpointSchedule: Sendable {
  /// When versions are due without a request; nil: never.
  package var plan: CheckpointPlan?
  /// The file that the coordinator has not acknowledged; reported again with every heartbeat.
  package private(set) var unacknowledged: CheckpointShard?
  /// The last file of this generation.
  private var lastWritten: CheckpointShard?
  private var writing: UInt64?
  /// One of this many due versions is written; a power of two.
  private var stride: UInt64 = 1
  /// How many versions were due while the current version, or else the last, was being written.
  private var skippedCount: UInt64 = 0
  /// The version that the coordinator requested.
  private var requested: UInt64?
  /// The last version passed to ``reached(_:)``: a version is due once.
  private var seenVersion: UInt64?

  package init() {}

  /// Begins a generation with a version that is on disk, or with the initial values. A version that
  /// is still being written belongs to the generation before.
  package mutating func begin(at version: UInt64) {
    seenVersion = version
    requested = nil
    unacknowledged = nil
    lastWritten = nil
  }

  /// The coordinator requests the rows of this version.
  ///
  /// - Returns: the file, if it was written already. It is never written again: it may be part of a
  ///   checkpoint, and the bytes of the rows may have changed since (replayed steps, final vectors
  ///   of an evaluation).
  package mutating func request(_ version: UInt64) -> CheckpointShard? {
    if let lastWritten, lastWritten.version == version { return lastWritten }
    requested = version
    return nil
  }

  /// The tables are at this version now.
  ///
  /// - Returns: whether to write it.
  package mutating func reached(_ version: UInt64) -> Bool {
    let isNew = seenVersion != version
    seenVersion = version
    let isRequested = requested == version
    let isDue = isNew && plan?.isDue(atVersion: version) == true
    guard isRequested || isDue else { return false }
    // While the disk is busy, a due version is skipped and a requested one waits.
    guard writing == nil else {
      if isRequested, writing == version { requested = nil }
      if isDue { skippedCount += 1 }
      return false
    }
    guard isRequested || isOnStride(version) else { return false }
    if isRequested { requested = nil }
    writing = version
    skippedCount = 0
    return true
  }

  /// Whether a due version is written at the current stride.
  private func isOnStride(_ version: UInt64) -> Bool {
    guard let interval = plan?.interval, interval > 0 else { return false }
    return version / interval % stride == 0
  }

  /// Doubles or halves the stride by the time that the last version took. One step at a time, so
  /// that a single stall of the disk has little effect.
  private mutating func adaptStride() {
    let spannedCount = skippedCount + 1
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
    unacknowledged = shard
    lastWritten = shard
  }

  package mutating func failed() { writing = nil }

  /// The coordinator has acknowledged the file of this version.
  package mutating func acknowledge(_ version: UInt64) {
    if let unacknowledged, unacknowledged.version <= version { self.unacknowledged = nil }
  }
}
