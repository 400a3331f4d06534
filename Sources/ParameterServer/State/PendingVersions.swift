import Protocol

/// A shard's checked gradient, which waits for the other shards of its version.
struct Contribution: Sendable {
  let rows: [SectionRows]
  let values: Payload
  /// What it adds to the sums of the shard's epoch.
  let sums: [String: Double]
}

/// Contributions and confirmations for the current version of the tables and, in `ssp` and `async`,
/// for later ones. `ahead` counts versions from the current one, which is 0.
struct PendingVersions: Sendable {
  /// Contributions and confirmations for one version.
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
  /// By `ahead`: the current version, and all up to the last one with a contribution.
  private var versions: [Version]
  /// Bytes of row values of all versions.
  private(set) var byteCount = 0

  init(shardCount: Int) {
    self.shardCount = shardCount
    versions = [Version(shardCount: shardCount)]
  }

  /// Bytes of row values for versions after the current one.
  var byteCountAhead: Int { byteCount - versions[0].byteCount }

  /// How many versions after the current one have contributions.
  var countAhead: Int { versions.count - 1 }

  /// Whether all shards have contributed to the current version here.
  var isContributed: Bool { versions[0].contributionCount == shardCount }

  /// Whether all shards are known to have contributed to the current version on every server.
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

  /// Records that a shard has contributed to a version on every server.
  ///
  /// - Precondition: it has contributed here.
  mutating func confirm(_ shard: Int, ahead: Int) {
    versions[ahead].confirmations.insert(shard)
  }

  /// Removes the current version; the next one becomes the current one.
  ///
  /// - Returns: the contributions to the removed version, in shard order.
  mutating func removeFirst() -> [Contribution] {
    let first = versions.removeFirst()
    if versions.isEmpty { versions.append(Version(shardCount: shardCount)) }
    byteCount -= first.byteCount
    return first.contributions.compactMap { $0 }
  }

  /// The invariants that do not hold, as messages.
  var brokenInvariants: [String] {
    var broken: [String] = []
    for (ahead, version) in versions.enumerated() {
      let here = version.contributions.compactMap { $0 }
      if version.contributions.count != shardCount {
        broken.append("a version has places for \(version.contributions.count) shards")
      }
      if version.contributionCount != here.count { broken.append("contributions are miscounted") }
      if version.byteCount != here.reduce(0, { $0 + $1.values.byteCount }) {
        broken.append("bytes of contributions are miscounted")
      }
      if !version.confirmations.areConsistent { broken.append("confirmed shards are miscounted") }
      for shard in 0..<shardCount where version.confirmations.contain(shard) {
        if !contains(shard, ahead: ahead) {
          broken.append("shard \(shard) is confirmed but has not contributed here")
        }
      }
    }
    if byteCount != versions.reduce(0, { $0 + $1.byteCount }) {
      broken.append("bytes of versions are miscounted")
    }
    return broken
  }
}

/// The shards that are known to have contributed to a version on every server.
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
