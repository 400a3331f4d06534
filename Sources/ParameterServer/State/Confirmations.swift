/// Which shards of a version are known to have contributed to every server.
struct Confirmations: Sendable {
  private var isConfirmed: [Bool]
  private var count = 0

  init(shardCount: Int) {
    isConfirmed = Array(repeating: false, count: shardCount)
  }

  var areComplete: Bool { count == isConfirmed.count }

  func contain(_ shard: Int) -> Bool { isConfirmed[shard] }

  mutating func insert(_ shard: Int) {
    guard !isConfirmed[shard] else { return }
    isConfirmed[shard] = true
    count += 1
  }

  /// Whether the count agrees with the shards.
  var areConsistent: Bool { isConfirmed.count(where: { $0 }) == count }
}
