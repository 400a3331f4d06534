import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Rows that may be stale")
struct StaleReadTests {
  private static let spec = TableSpec(name: "item", rows: 8, width: 1, initializer: .constant(0))
  private static let versionsPerEpoch: UInt64 = 8

  private static func cluster(
    _ consistency: Consistency, shards: Int = 2, limits: ServerLimits = ServerLimits()
  ) throws -> TestCluster {
    try TestCluster(
      [spec], shards: shards, schedule: StepSchedule(stepsPerEpoch: Int(versionsPerEpoch)),
      consistency: consistency, limits: limits, greeted: [0, 1, 2])
  }

  /// Pulls the table for a version.
  private static func pull(_ version: UInt64) -> DataRequestBody {
    .pull(TestCluster.wholePull([spec], version: version))
  }

  /// A gradient of 1 for the row of the shard.
  private static func push(
    _ version: UInt64, _ shard: UInt32, in cluster: TestCluster, sums: [String: Double] = [:]
  ) -> DataRequestBody {
    .push(cluster.push([0: [Int(shard): [1]]], version: version, shard: shard, sums: sums))
  }

  /// The version and row 0 that a pull returns now; nil if it waits.
  private static func read(
    _ version: UInt64, in cluster: inout TestCluster, id: UInt64? = nil
  ) -> (version: UInt64, row: Float)? {
    pullReply(cluster.send(pull(version), id: id).first?.body).map {
      ($0.version, $0.values.load(Float.self, at: 0))
    }
  }

  private static func contribute(
    _ version: UInt64, _ shard: UInt32, to cluster: inout TestCluster
  ) -> PushOutcome? {
    pushOutcome(cluster.send(push(version, shard, in: cluster)).first?.body)
  }

  @Test("a pull is answered as soon as the rows are new enough, with their version")
  func bound() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 2))
    for version in 0..<3 as Range<UInt64> {
      let rows = try #require(Self.read(version, in: &cluster))
      #expect(rows == (0, 0))
      #expect(Self.contribute(version, 0, to: &cluster) == .accepted)
    }
    #expect(Self.read(3, in: &cluster, id: 77) == nil, "three versions behind")
    #expect(cluster.servers[0].statistics.greatestStaleness == 2)
    let answers = cluster.deliver(Self.push(0, 1, in: cluster), from: 1)
    let late = try #require(answers.first { $0.reply.requestID == 77 })
    #expect(late.peer == 0 && pullReply(late.reply.body)?.version == 1)
    #expect(pullReply(late.reply.body)?.values.load(Float.self, at: 0) == -1)
    #expect(cluster.servers[0].version == 1)
    #expect(cluster.servers[0].statistics.greatestStaleness == 2)
  }

  @Test("a contribution to a later version counts once, when that version ends")
  func ahead() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 2))
    for version in 0..<3 as Range<UInt64> {
      let push = cluster.push(
        [0: [0: [1], 1: [0.25]]], version: version, shard: 0, sums: ["loss": 1])
      #expect(pushOutcome(cluster.send(.push(push)).first?.body) == .accepted)
      #expect(pushOutcome(cluster.send(.push(push), from: 1).first?.body) == .duplicate)
    }
    #expect(cluster.servers[0].version == 0)
    // The other shard's contributions arrive in another order; versions begin in order.
    #expect(Self.contribute(2, 1, to: &cluster) == .accepted)
    #expect(Self.contribute(1, 1, to: &cluster) == .accepted)
    #expect(cluster.servers[0].version == 0)
    #expect(Self.contribute(0, 1, to: &cluster) == .accepted)
    #expect(cluster.servers[0].version == 3)
    #expect(Self.contribute(2, 0, to: &cluster) == .duplicate)
    let rows = try cluster.pullAll(version: 3)[0]
    #expect(rows == [-3, -0.75 - 3, 0, 0, 0, 0, 0, 0])
  }

  @Test("pushes to and pulls of a version that no worker can have reached are refused")
  func tooFar() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 2))
    let early = try #require(refusal(cluster.send(Self.push(3, 0, in: cluster)).first?.body))
    #expect(early.code == .malformed && early.message.contains("no rows of version 3 "))
    let farther = try #require(refusal(cluster.send(Self.pull(4)).first?.body))
    #expect(farther.code == .malformed && farther.message.contains("4 ahead of version 0"))
    for number in [UInt64.max, 1 << 63] {
      #expect(refusal(cluster.send(Self.push(number, 0, in: cluster)).first?.body) != nil)
      #expect(refusal(cluster.send(Self.pull(number)).first?.body) != nil)
    }
    let reduce = ReduceRequest(
      name: ContributionName(generation: 1, version: 0, shard: 0), values: [1])
    let sums = try #require(refusal(cluster.send(.reduce(reduce)).first?.body))
    #expect(sums.code == .malformed && sums.message.contains("same release and configuration"))
  }

  @Test("a worker that is behind gets newer rows until the epoch is over")
  func behind() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 2), shards: 1)
    for version in 0..<Self.versionsPerEpoch {
      #expect(Self.contribute(version, 0, to: &cluster) == .accepted)
    }
    cluster.confirm(version: Self.versionsPerEpoch - 1)
    #expect(cluster.servers[0].version == Self.versionsPerEpoch)
    let rows = try #require(Self.read(1, in: &cluster))
    #expect(rows == (8, -8))
    #expect(Self.contribute(1, 0, to: &cluster) == .duplicate)
    #expect(Self.contribute(Self.versionsPerEpoch, 0, to: &cluster) == .accepted)
    let gone = try #require(refusal(cluster.send(Self.pull(1)).first?.body))
    #expect(gone.code == .versionSuperseded && gone.version == 9)
  }

  @Test("rows are of the epoch, and the epoch ends when all shards are confirmed")
  func epochs() throws {
    for consistency in [.staleSynchronous(bound: 5), .asynchronous] as [Consistency] {
      var cluster = try Self.cluster(consistency)
      let end = Self.versionsPerEpoch
      for version in 0..<end {
        for shard in [0, 1] as [UInt32] {
          #expect(Self.contribute(version, shard, to: &cluster) == .accepted)
        }
      }
      #expect(cluster.servers[0].version == end - 1, "not confirmed")
      #expect(Self.read(end, in: &cluster, id: 50) == nil)
      let next = try #require(refusal(cluster.send(Self.push(end, 0, in: cluster)).first?.body))
      #expect(next.code == .malformed)
      cluster.confirm([0], version: end - 1, from: 1, id: 51)
      #expect(cluster.servers[0].version == end - 1)
      let answers = cluster.confirm([1], version: end - 1, from: 2, id: 52)
      #expect(Set(answers.map(\.reply.requestID)) == [50, 51, 52])
      #expect(answers.allSatisfy { pullReply($0.reply.body)?.version == end })
    }
  }

  @Test("a shard is confirmed at the end of an epoch while the tables are still behind")
  func earlyConfirmation() throws {
    var cluster = try Self.cluster(.asynchronous)
    let end = Self.versionsPerEpoch
    for version in 0..<end { _ = Self.contribute(version, 0, to: &cluster) }
    #expect(cluster.confirm([0], version: end - 1, id: 60).isEmpty)
    let unfounded = cluster.confirm([1], version: end - 1).first?.reply.body
    #expect(refusal(unfounded)?.message.contains("shard 1 is confirmed at version 7") == true)
    for version in 0..<end { _ = Self.contribute(version, 1, to: &cluster) }
    #expect(cluster.servers[0].version == end - 1)
    let answers = cluster.confirm([1], version: end - 1, id: 61)
    #expect(answers.map(\.reply.requestID) == [60, 61])
  }

  @Test("memory bounds how far a worker gets ahead, and pulls from behind never wait")
  func memory() throws {
    // A contribution has four bytes.
    let limits = ServerLimits(contributionBytes: 1 << 10, aheadBytes: 8)
    var cluster = try Self.cluster(.asynchronous, limits: limits)
    for version in 0..<4 as Range<UInt64> {
      #expect(Self.read(version, in: &cluster)?.version == 0)
      #expect(Self.contribute(version, 0, to: &cluster) == .accepted)
    }
    #expect(Self.read(4, in: &cluster, id: 80) == nil, "12 bytes are ahead")
    #expect(Self.read(0, in: &cluster)?.version == 0)
    let answers = cluster.deliver(Self.push(0, 1, in: cluster), from: 1)
    #expect(Set(answers.map(\.reply.requestID)).contains(80), "8 bytes are")
    #expect(cluster.servers[0].version == 1)
  }

  @Test("without a bound the number of versions is limited too")
  func versionsAhead() throws {
    var cluster = try Self.cluster(.asynchronous, limits: ServerLimits(versionsAhead: 3))
    for version in 0..<4 as Range<UInt64> {
      #expect(Self.read(version, in: &cluster)?.version == 0)
      #expect(Self.contribute(version, 0, to: &cluster) == .accepted)
    }
    #expect(Self.read(4, in: &cluster) == nil)
    #expect(refusal(cluster.send(Self.push(4, 0, in: cluster)).first?.body)?.code == .malformed)
    #expect(Self.contribute(0, 1, to: &cluster) == .accepted)
    #expect(Self.read(4, in: &cluster)?.version == 1)
  }

  @Test("waiting contributions of all versions count against the limit")
  func contributionBytes() throws {
    let limits = ServerLimits(contributionBytes: 12, aheadBytes: 100)
    var cluster = try Self.cluster(.asynchronous, limits: limits)
    for version in 0..<3 as Range<UInt64> { _ = Self.contribute(version, 0, to: &cluster) }
    let full = try #require(refusal(cluster.send(Self.push(3, 0, in: cluster)).first?.body))
    #expect(full.code == .limit && full.message.contains("16 bytes"))
  }

  @Test("names of sums are limited over all waiting versions")
  func sumNames() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 4))
    func sums(_ range: Range<Int>) -> [String: Double] {
      Dictionary(uniqueKeysWithValues: range.map { ("name \($0)", 1.0) })
    }
    let first = Self.push(0, 0, in: cluster, sums: sums(0..<200))
    #expect(pushOutcome(cluster.send(first).first?.body) == .accepted)
    let same = Self.push(1, 0, in: cluster, sums: sums(0..<200))
    #expect(pushOutcome(cluster.send(same).first?.body) == .accepted)
    let others = Self.push(2, 0, in: cluster, sums: sums(150..<350))
    #expect(refusal(cluster.send(others).first?.body)?.code == .limit)
  }

  @Test("final vectors are accepted at later versions, and initial values at version 0 only")
  func assigned() throws {
    let specs = [
      TableSpec(name: "data", rows: 2, width: 1, initializer: .pushed),
      TableSpec(name: "final", rows: 2, width: 1, initializer: .constant(0), rule: .assigned),
    ]
    var cluster = try TestCluster(
      specs, shards: 2, schedule: StepSchedule(stepsPerEpoch: 4),
      consistency: .staleSynchronous(bound: 2))
    func assign(_ values: RowValues, _ version: UInt64) -> DataReplyBody? {
      cluster.send(.push(cluster.push(values, version: version, kind: .assign))).first?.body
    }
    #expect(
      pullReply(cluster.send(.pull(TestCluster.wholePull(specs, version: 0))).first?.body) == nil)
    #expect(refusal(assign([0: [0: [1], 1: [1]]], 1))?.code == .malformed)
    #expect(pushOutcome(assign([0: [0: [1], 1: [1]]], 0)) == .accepted)
    #expect(pushOutcome(assign([1: [0: [7]]], 2)) == .accepted)
    #expect(refusal(assign([1: [0: [8]]], 3))?.code == .malformed)
    #expect(try cluster.pullAll(version: 0) == [[1, 1], [7, 0]])
  }

  @Test("held tables accept contributions to later versions, and catch up when released")
  func hold() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 3))
    #expect(cluster.hold() == 0)
    for version in 0..<3 as Range<UInt64> {
      for shard in [0, 1] as [UInt32] {
        #expect(Self.contribute(version, shard, to: &cluster) == .accepted)
      }
    }
    #expect(cluster.servers[0].version == 0)
    #expect(Self.read(4, in: &cluster, id: 90) == nil)
    #expect(cluster.release(upTo: 2).map(\.reply.requestID) == [90])
    #expect(cluster.servers[0].version == 2)
    #expect(cluster.release().isEmpty)
    #expect(cluster.servers[0].version == 3)
  }

  @Test("a restored server has no contributions to later versions")
  func restored() throws {
    var cluster = try Self.cluster(.staleSynchronous(bound: 2))
    for version in 0..<3 as Range<UInt64> { _ = Self.contribute(version, 0, to: &cluster) }
    _ = Self.contribute(0, 1, to: &cluster)
    let source = try MemorySource(cluster)
    #expect(source.version == 1)
    var next = try TestCluster(
      [Self.spec], shards: 2, generation: 2,
      schedule: StepSchedule(stepsPerEpoch: Int(Self.versionsPerEpoch)),
      consistency: .staleSynchronous(bound: 2), restoring: source)
    for shard in [0, 1] as [UInt32] {
      let push = next.push([0: [Int(shard): [1]]], version: 1, shard: shard)
      #expect(pushOutcome(next.send(.push(push)).first?.body) == .accepted)
    }
    #expect(next.servers[0].version == 2)
  }
}
