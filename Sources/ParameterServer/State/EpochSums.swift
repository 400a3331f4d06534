import Messages

/// What the contributions to an epoch said of themselves (loss terms, statistics), added up shard
/// by shard in the order of the versions. They count when their version is applied: once, whoever
/// computed them and however often they were sent.
///
/// The sums of an epoch stay until the next epoch's first version is applied, so that they can be
/// told any number of times.
struct EpochSums: Sendable {
  /// Named sums of one shard at most: what a message may hold.
  static let mostNames = WireLimits.standard.sumsPerReport

  /// By shard; empty where none are kept.
  private var sums: [[String: Double]]

  /// - Parameter shardCount: 0: none are kept here.
  init(shardCount: Int) {
    sums = Array(repeating: [:], count: shardCount)
  }

  /// Sums as ``all`` gave them.
  ///
  /// - Throws: ``ParameterServerError`` with code `checkpoint` unless there is one report per
  ///   shard, in order, with no more names than a message may hold.
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

  /// Whether this server keeps them.
  var isKept: Bool { !sums.isEmpty }

  /// How many names a shard has together with new ones.
  func nameCount(ofShard shard: Int, with names: Set<String>) -> Int {
    sums[shard].count + names.count { sums[shard][$0] == nil }
  }

  /// The most names that a shard has.
  var mostNamesInUse: Int { sums.map(\.count).max() ?? 0 }

  /// For the next epoch.
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
