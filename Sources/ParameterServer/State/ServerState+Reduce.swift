import Protocol
import Tables

extension ServerState {
  /// Adds a shard's values and rows to the sums of its version and stage, and answers all requests
  /// when all shards have arrived.
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
    let waiter = Reductions<Peer>.Waiter(
      peer: peer, requestID: id, wantsRows: request.wantsRows)
    if let sums = reductions.sums(ofVersion: name.version, request.stage) {
      try check(request, count: sums.values.count, widths: [:])
      statistics.reduces += 1
      return [reply(sums, to: waiter)]
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
    let unfinished = reductions[request.stage]
    try check(
      request, count: unfinished.valueCount ?? request.values.count, widths: unfinished.widths)
    try checkHolds(request.rows, next: unfinished.rowByteCount)
    guard reductions.waiterCount < limits.parkedReduces else {
      throw Refusal(
        code: .limit,
        message: "\(limits.parkedReduces) reduce requests are waiting already, which is the limit")
    }
    reductions.add(request, ofShard: UInt32(shard), for: waiter)
    guard
      let (sums, waiters) = reductions.finish(
        request.stage, version: version, shardCount: shardCount)
    else { return [] }
    statistics.reduces += waiters.count
    return waiters.map { reply(sums, to: $0) }
  }

  private func reply(
    _ sums: ReduceReply, to waiter: Reductions<Peer>.Waiter
  ) -> ServerReply<Peer> {
    let rows = waiter.wantsRows ? sums.rows : .none
    return reply(
      waiter.requestID, to: waiter.peer, .reduced(ReduceReply(values: sums.values, rows: rows)))
  }

  private func check(
    _ request: ReduceRequest, count: Int, widths: [UInt32: UInt32]
  ) throws(Refusal) {
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
    try GradientRowSum.check(request.rows, widths: widths)
  }

  /// - Parameter held: bytes of the rows of other shards.
  private func checkHolds(_ rows: GradientRows, next held: Int) throws(Refusal) {
    let byteCount = held + rows.keys.byteCount + rows.values.byteCount
    guard byteCount <= limits.replyBytes else {
      throw Refusal(
        code: .limit,
        message: """
          the gradients of propagated rows of all shards would take \(byteCount) bytes, and the \
          limit is \(limits.replyBytes); use more servers or smaller batches
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
    let wantsRows: Bool
  }

  struct Finished: Sendable {
    let version: UInt64
    let stage: ReduceStage
    let sums: ReduceReply
  }

  /// What has arrived for one stage of the current version.
  struct Unfinished: Sendable {
    /// The values and rows of each shard.
    fileprivate(set) var shares: [UInt32: ReduceReply] = [:]
    fileprivate(set) var waiters: [Waiter] = []
    /// The widths of the matrices that any shard has rows of.
    fileprivate(set) var widths: [UInt32: UInt32] = [:]

    fileprivate mutating func add(
      _ request: ReduceRequest, ofShard shard: UInt32, for waiter: Waiter
    ) {
      if shares[shard] == nil {
        shares[shard] = ReduceReply(values: request.values, rows: request.rows)
        for section in request.rows.sections { widths[section.table] = section.width }
      }
      if !waiters.contains(waiter) { waiters.append(waiter) }
    }

    /// The number of values per shard; nil before the first shard.
    var valueCount: Int? { shares.values.first?.values.count }

    /// Bytes of the rows of all shards.
    var rowByteCount: Int {
      shares.values.reduce(0) { $0 + $1.rows.keys.byteCount + $1.rows.values.byteCount }
    }
  }

  /// The number of versions whose sums are kept.
  static var keptVersions: Int { 2 }

  private(set) var unfinished: [ReduceStage: Unfinished] = [:]
  private(set) var finished: [Finished] = []

  subscript(stage: ReduceStage) -> Unfinished { unfinished[stage] ?? Unfinished() }

  /// The peers whose requests wait for other shards.
  var waitingPeers: Set<Peer> { Set(unfinished.values.flatMap { $0.waiters.map(\.peer) }) }

  var waiterCount: Int { unfinished.values.reduce(0) { $0 + $1.waiters.count } }

  /// The sums of a version, if they are finished and still kept.
  func sums(ofVersion version: UInt64, _ stage: ReduceStage) -> ReduceReply? {
    finished.first { $0.version == version && $0.stage == stage }?.sums
  }

  /// Records a shard's values and rows, unless it has some already, and the request that waits for
  /// the sums.
  mutating func add(_ request: ReduceRequest, ofShard shard: UInt32, for waiter: Waiter) {
    unfinished[request.stage, default: Unfinished()].add(request, ofShard: shard, for: waiter)
  }

  /// Adds up the values and rows of all shards in shard order, if all have arrived.
  ///
  /// - Returns: the sums and the waiting requests; nil if a shard is missing.
  mutating func finish(
    _ stage: ReduceStage, version: UInt64, shardCount: Int
  ) -> (sums: ReduceReply, waiters: [Waiter])? {
    let arrived = self[stage]
    let shares = (0..<UInt32(max(1, shardCount))).compactMap { arrived.shares[$0] }
    guard shares.count == shardCount, var values = shares.first?.values else { return nil }
    for share in shares.dropFirst() {
      for index in values.indices { values[index] += share.values[index] }
    }
    let sums = ReduceReply(values: values, rows: GradientRowSum.sum(shares.map(\.rows)))
    finished.removeAll { $0.version + UInt64(Self.keptVersions) <= version }
    finished.append(Finished(version: version, stage: stage, sums: sums))
    unfinished[stage] = nil
    return (sums, arrived.waiters)
  }

  /// Drops the unfinished sums.
  ///
  /// - Returns: the requests that waited for them.
  mutating func removeUnfinished() -> [Waiter] {
    defer { unfinished = [:] }
    return ReduceStage.allCases.flatMap { self[$0].waiters }
  }

  mutating func forget(_ peer: Peer) {
    for stage in unfinished.keys { unfinished[stage]?.waiters.removeAll { $0.peer == peer } }
  }
}
