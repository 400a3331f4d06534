import Protocol

/// Sums of the loss terms and statistics of an epoch's contributions, by shard, added in the order
/// of the versions. Each is counted once, when its version is applied.
///
/// The sums of an epoch are kept until the first version of the next epoch is applied, so that they
/// can be requested repeatedly.
struct EpochSums: Sendable {
  /// Most named sums of one shard. A message may contain more: an evaluation has more values.
  static let mostNames = 256

  /// By shard; empty if this server keeps none.
  private var sums: [[String: Double]]

  /// - Parameter shardCount: the number of shards; 0 if this server keeps no sums.
  init(shardCount: Int) {
    sums = Array(repeating: [:], count: shardCount)
  }

  /// Restores sums that ``all`` returned.
  ///
  /// - Throws: ``ParameterServerError`` with code `checkpoint` unless there is one report per
  ///   shard, in order, with no more names than a message may contain.
  init(_ reports: [UnitReport], shardCount: Int) throws(ParameterServerError) {
    guard reports.count == shardCount, reports.indices.allSatisfy({ reports[$0].unit == $0 }),
      reports.allSatisfy({ $0.sums.count <= Self.mostNames })
    else {
      throw ParameterServerError(
        .checkpoint,
        """
        The checkpoint has loss terms and statistics of \(reports.count) shards, but the run cuts \
        its batches into \(shardCount): resume with the configuration that the run began with.
        """)
    }
    sums = reports.map(\.sums)
  }

  /// Whether this server keeps sums.
  var isKept: Bool { !sums.isEmpty }

  /// The number of names of a shard, including new ones.
  func nameCount(ofShard shard: Int, with names: Set<String>) -> Int {
    sums[shard].count + names.count { sums[shard][$0] == nil }
  }

  /// The greatest number of names of any shard.
  var mostNamesInUse: Int { sums.map(\.count).max() ?? 0 }

  /// Begins the next epoch.
  mutating func reset() { self = EpochSums(shardCount: sums.count) }

  mutating func add(_ addends: [String: Double], ofShard shard: Int) {
    for (name, addend) in addends { sums[shard][name, default: 0] += addend }
  }

  /// The sums of some shards, in the order given.
  func reports(of shards: [UInt32]) -> [UnitReport] {
    shards.map { UnitReport(unit: $0, sums: sums[Int($0)]) }
  }

  /// The sums of all shards.
  var all: [UnitReport] { reports(of: sums.indices.map(UInt32.init)) }
}
