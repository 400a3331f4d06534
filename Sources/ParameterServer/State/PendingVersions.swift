import Messages

/// A shard's gradient, checked and waiting for the other shards of its version.
struct Contribution: Sendable {
  let rows: [SectionRows]
  let values: Payload
  /// For the sums of the shard's epoch.
  let sums: [String: Double]
}

/// What has come in for the version that the tables have, and where rows may be stale for those
/// after it. Versions are counted from the one of the tables, which is 0.
struct PendingVersions: Sendable {
  /// Of one version.
  private struct Version: Sendable {
    /// By shard.
    var contributions: [Contribution?]
    var contributionCount = 0
    var byteCount = 0
    var confirmations: Confirmations

    init(shardCount: Int) {
      contributions = Array(repeating: nil, count: shardCount)
      confirmations = Confirmations(shardCount: shardCount)
    }
  }

  private let shardCount: Int
  /// Up to the last one that something came for, but the first always.
  private var versions: [Version]
  /// Bytes of row values.
  private(set) var byteCount = 0

  init(shardCount: Int) {
    self.shardCount = shardCount
    versions = [Version(shardCount: shardCount)]
  }

  /// Bytes of row values for versions after that of the tables.
  var byteCountAhead: Int { byteCount - versions[0].byteCount }

  /// How many versions after that of the tables something came for.
  var countAhead: Int { versions.count - 1 }

  /// Whether all shards have contributed to the version of the tables.
  var isContributed: Bool { versions[0].contributionCount == shardCount }

  /// Whether all of them are known to have done so everywhere.
  var isConfirmed: Bool { versions[0].confirmations.areComplete }

  func contains(_ shard: Int, ahead: Int) -> Bool {
    ahead < versions.count && versions[ahead].contributions[shard] != nil
  }

  /// The contributions of a shard, by version.
  func contributions(ofShard shard: Int) -> [Contribution] {
    versions.compactMap { $0.contributions[shard] }
  }

  /// - Precondition: the shard has not contributed to that version.
  mutating func insert(_ contribution: Contribution, ofShard shard: Int, ahead: Int) {
    while versions.count <= ahead { versions.append(Version(shardCount: shardCount)) }
    precondition(versions[ahead].contributions[shard] == nil, "shard \(shard) counts twice")
    versions[ahead].contributions[shard] = contribution
    versions[ahead].contributionCount += 1
    versions[ahead].byteCount += contribution.values.byteCount
    byteCount += contribution.values.byteCount
  }

  /// Takes note that a shard has contributed to a version everywhere.
  ///
  /// - Precondition: it has here.
  mutating func confirm(_ shard: Int, ahead: Int) {
    versions[ahead].confirmations.insert(shard)
  }

  /// Goes on to the next version.
  ///
  /// - Returns: the contributions of the one before, in the order of the shards.
  mutating func removeFirst() -> [Contribution] {
    let first = versions.removeFirst()
    if versions.isEmpty { versions.append(Version(shardCount: shardCount)) }
    byteCount -= first.byteCount
    return first.contributions.compactMap { $0 }
  }

  /// What is wrong, sentence by sentence.
  var brokenInvariants: [String] {
    var broken: [String] = []
    for (ahead, version) in versions.enumerated() {
      let here = version.contributions.compactMap { $0 }
      if version.contributions.count != shardCount { broken.append("a place per shard, no more") }
      if version.contributionCount != here.count { broken.append("contributions are miscounted") }
      if version.byteCount != here.reduce(0, { $0 + $1.values.byteCount }) {
        broken.append("bytes of contributions are miscounted")
      }
      if !version.confirmations.areConsistent { broken.append("confirmed shards are miscounted") }
      for shard in 0..<shardCount where version.confirmations.contain(shard) {
        if !contains(shard, ahead: ahead) {
          broken.append("shard \(shard) is confirmed but not here")
        }
      }
    }
    if byteCount != versions.reduce(0, { $0 + $1.byteCount }) {
      broken.append("bytes of versions are miscounted")
    }
    return broken
  }
}
