import Protocol
import Tables

extension ServerState {
  /// Adds a shard's values to the sums of its version, and answers all requests when all shards
  /// have arrived.
  mutating func handle(
    _ request: ReduceRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerReply<Peer>] {
    let name = request.name
    try admit(peer, generation: name.generation)
    let shard = try shardIndex(name.shard)
    guard consistency.isExact else {
      throw Refusal(
        code: .malformed,
        message: """
          in ssp and async no shard waits for the values of others; all workers must run the same \
          release and configuration
          """)
    }
    if let sums = reductions.sums(ofVersion: name.version) {
      try check(request, count: sums.count)
      statistics.reduces += 1
      return [reply(id, to: peer, .reduced(sums))]
    }
    if name.version < version { throw versionSuperseded("version \(name.version)") }
    guard name.version == version else {
      throw Refusal(
        code: .malformed,
        message: """
          the tables are at version \(version), and no values of a later version can have been \
          computed yet; pull a version from every server before reducing at it
          """)
    }
    try check(request, count: reductions.valueCount ?? request.values.count)
    guard reductions.waiters.count < limits.parkedReduces else {
      throw Refusal(
        code: .limit,
        message: "\(limits.parkedReduces) reduce requests are waiting already, which is the limit")
    }
    reductions.add(
      request.values, ofShard: UInt32(shard), for: .init(peer: peer, requestID: id))
    guard let (sums, waiters) = reductions.finish(version: version, shardCount: shardCount) else {
      return []
    }
    statistics.reduces += waiters.count
    return waiters.map { reply($0.requestID, to: $0.peer, .reduced(sums)) }
  }

  private func check(_ request: ReduceRequest, count: Int) throws(Refusal) {
    guard request.values.count == count else {
      throw Refusal(
        code: .malformed,
        message: """
          \(request.values.count) values, but other shards gave \(count); all workers must run the \
          same release and configuration
          """)
    }
    guard count <= limits.reduceValues else {
      throw Refusal(
        code: .limit, message: "\(count) values, and the limit is \(limits.reduceValues)")
    }
    if let index = request.values.firstIndex(where: { !$0.isFinite }) {
      throw Refusal(
        code: .diverged,
        message: """
          value \(index) is \(request.values[index]); the computation diverged: lower the learning \
          rate
          """)
    }
  }

  /// Refuses the reductions of a version that has ended: its gradients have arrived without them.
  mutating func refuseUnfinishedReductions() -> [ServerReply<Peer>] {
    reductions.removeUnfinished().map { waiter in
      refuse(
        waiter.requestID, of: waiter.peer, .versionSuperseded,
        """
        server \(rank) dropped sums that waited for other shards: the gradients of all shards have \
        arrived without them, and the tables are at version \(version); continue from there
        """, version)
    }
  }
}

/// The unfinished sums over all shards at the current version, and the last finished ones.
///
/// Finished sums are kept for a shard whose reply was lost, or that another worker computes again.
struct Reductions<Peer: Hashable & Sendable>: Sendable {
  /// A request that waits for the sums.
  struct Waiter: Sendable, Hashable {
    let peer: Peer
    let requestID: UInt64
  }

  struct Finished: Sendable {
    let version: UInt64
    let sums: [Double]
  }

  /// The number of versions whose sums are kept.
  static var keptVersions: Int { 2 }

  /// The values of each shard at the current version.
  private(set) var values: [UInt32: [Double]] = [:]
  private(set) var waiters: [Waiter] = []
  private(set) var finished: [Finished] = []

  /// The sums of a version, if they are finished and still kept.
  func sums(ofVersion version: UInt64) -> [Double]? {
    finished.first { $0.version == version }?.sums
  }

  /// The number of values per shard at the current version; nil before the first shard.
  var valueCount: Int? { values.values.first?.count }

  /// Records a shard's values, unless it has some already, and the request that waits for the sums.
  mutating func add(_ newValues: [Double], ofShard shard: UInt32, for waiter: Waiter) {
    if values[shard] == nil { values[shard] = newValues }
    if !waiters.contains(waiter) { waiters.append(waiter) }
  }

  /// Adds up the values of all shards in shard order, if all have arrived.
  ///
  /// - Returns: the sums and the waiting requests; nil if a shard is missing.
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

  /// Drops the unfinished sums.
  ///
  /// - Returns: the requests that waited for them.
  mutating func removeUnfinished() -> [Waiter] {
    defer {
      values = [:]
      waiters = []
    }
    return waiters
  }

  mutating func forget(_ peer: Peer) { waiters.removeAll { $0.peer == peer } }
}
