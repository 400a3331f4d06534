/// The sums over all shards that are under way at the current version, and the last finished ones.
///
/// Finished sums are kept for a shard whose answer was lost, or that another worker computes again.
struct Reductions<Peer: Hashable & Sendable>: Sendable {
  /// Somebody who waits for the sums.
  struct Waiter: Sendable, Hashable {
    let peer: Peer
    let requestID: UInt64
  }

  struct Finished: Sendable {
    let version: UInt64
    let sums: [Double]
  }

  /// Sums of this many versions are kept.
  static var keptVersions: Int { 2 }

  /// What each shard gave to the current version.
  private(set) var values: [UInt32: [Double]] = [:]
  private(set) var waiters: [Waiter] = []
  private(set) var finished: [Finished] = []

  /// The sums of a version, if they are finished and still kept.
  func sums(ofVersion version: UInt64) -> [Double]? {
    finished.first { $0.version == version }?.sums
  }

  /// How many values the shards of the current version give; nil before the first.
  var valueCount: Int? { values.values.first?.count }

  /// Keeps a shard's values, if they are its first, and who waits for the sums.
  mutating func add(_ newValues: [Double], ofShard shard: UInt32, for waiter: Waiter) {
    if values[shard] == nil { values[shard] = newValues }
    if !waiters.contains(waiter) { waiters.append(waiter) }
  }

  /// Adds up the values of all shards, in their order, if all are there.
  ///
  /// - Returns: the sums and who waits for them; nil if a shard is missing.
  mutating func finish(
    version: UInt64, shardCount: Int
  ) -> (sums: [Double], waiters: [Waiter])? {
    guard values.count == shardCount, var sums = values[0] else { return nil }
    for shard in 1..<UInt32(max(1, shardCount)) {
      guard let addends = values[shard] else { return nil }
      for index in sums.indices { sums[index] += addends[index] }
    }
    finished.append(Finished(version: version, sums: sums))
    finished.removeFirst(max(0, finished.count - Self.keptVersions))
    return (sums, removeUnfinished())
  }

  /// Drops what is under way, and says who waited for it.
  mutating func removeUnfinished() -> [Waiter] {
    defer {
      values = [:]
      waiters = []
    }
    return waiters
  }

  mutating func forget(_ peer: Peer) { waiters.removeAll { $0.peer == peer } }
}
