import Messages
import Tables

extension ServerState {
  /// Adds a shard's values to the sums of its version, and answers all shards when all are in.
  mutating func handle(
    _ request: ReduceRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerAction<Peer>] {
    let name = request.name
    try admit(peer, generation: name.generation)
    let shard = try shardIndex(name.shard)
    guard consistency.isExact else {
      throw Refusal(
        code: .malformed,
        message: """
          where rows may be stale no shard waits for the others' values; all workers must run the \
          same release and configuration
          """)
    }
    if let sums = reductions.sums(ofVersion: name.version) {
      try check(request, count: sums.count)
      statistics.reduces += 1
      return [reply(id, to: peer, .reduced(sums))]
    }
    if name.version < version { throw versionGone("version \(name.version)") }
    guard name.version == version else {
      throw Refusal(
        code: .malformed,
        message: """
          the tables are at version \(version), and nothing can have been computed from a later \
          one; pull a version from every server before its sums
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

  /// A version that ended does not wait for sums any more: its gradients are in without them.
  mutating func refuseUnfinishedReductions() -> [ServerAction<Peer>] {
    reductions.removeUnfinished().map { waiter in
      refuse(
        waiter.requestID, of: waiter.peer, .versionGone,
        """
        server \(rank) gave up sums that waited for other shards: the gradients of all shards came \
        in without them, and the tables are at version \(version); go on from there
        """, version)
    }
  }
}
