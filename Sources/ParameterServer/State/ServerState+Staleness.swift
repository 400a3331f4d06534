import Tables

/// Which rows may be given out for which version.
///
/// Nobody waits for ever. Take the lowest version v of all servers, and a shard that has not
/// contributed to it on a server that is at v. Its owner has every push before the version that it
/// is at acknowledged by every server, or began at v or below, so it is at v or below. For such a
/// version every server answers at once, stale or not and however much is waiting: only versions
/// that are ahead of the tables wait. So the owner contributes, and v rises.
extension ServerState {
  /// How many versions a contribution may be ahead of the tables.
  var mostAhead: UInt64 {
    min(consistency.bound ?? .max, UInt64(max(0, limits.versionsAhead)))
  }

  /// Whether a contribution to `later`, which is not below the version of the tables, can have been
  /// computed by now.
  func canTake(_ later: UInt64) -> Bool {
    let schedule = optimizer.schedule
    return later - version <= mostAhead
      && schedule.firstVersion(ofEpochOf: later) == schedule.firstVersion(ofEpochOf: version)
  }

  /// Whether nobody can need rows for this version any more. Where they may be stale, that is when
  /// its epoch is over: before, another server may lack the contribution that they are wanted for.
  func isGone(_ asked: UInt64) -> Bool {
    guard asked < version else { return false }
    let schedule = optimizer.schedule
    return consistency.isExact
      || version - schedule.firstVersion(ofEpochOf: asked) > schedule.versionsPerEpoch
  }

  /// Whether the rows that are here will do for a version that is not gone.
  func isReadable(_ asked: UInt64) -> Bool {
    guard missingInitialValues.isEmpty else { return false }
    guard asked > version else { return true }
    let oldest = consistency.oldestVersion(
      for: asked, inEpochFrom: optimizer.schedule.firstVersion(ofEpochOf: asked))
    return version >= oldest && asked - version <= mostAhead
      && pending.byteCountAhead <= limits.aheadBytes
  }
}
