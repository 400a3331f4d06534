import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Sums of an epoch")
struct EpochSumTests {
  private static let spec = TableSpec(name: "item", rows: 8, width: 1, initializer: .constant(0))

  private static func cluster(servers: Int = 1, shards: Int = 2) throws -> TestCluster {
    try TestCluster(
      [spec], servers: servers, shards: shards,
      schedule: StepSchedule(stepsPerEpoch: 2, roundsPerStep: 2), greeted: [0, 1])
  }

  /// The sums of shard `shard` at `version`, chosen so that the order of addition shows.
  private static func sums(_ version: UInt64, _ shard: UInt32) -> [String: Double] {
    let values = [1, 0x1p53, -0x1p53, 0.5]
    return ["loss.a": values[Int(version % 4)], "stat.\(shard)": Double(version)]
  }

  private static func train(_ versions: Range<UInt64>, in cluster: inout TestCluster) {
    for version in versions {
      for shard in [1, 0] as [UInt32] {
        cluster.pushEverywhere([:], version: version, shard: shard, sums: sums(version, shard))
      }
    }
  }

  private static func expected(_ shard: UInt32, epoch: UInt64) -> UnitReport {
    let versions = epoch * 4..<epoch * 4 + 4
    return UnitReport(
      unit: shard,
      sums: [
        "loss.a": ((1.0 + 0x1p53) - 0x1p53) + 0.5,
        "stat.\(shard)": versions.reduce(0) { $0 + Double($1) },
      ])
  }

  @Test("the last pull of an epoch returns the sums of its shards, however often it is repeated")
  func closingPull() throws {
    var cluster = try Self.cluster(servers: 2)
    for epoch in 0..<UInt64(3) {
      let end = epoch * 4 + 4
      Self.train(epoch * 4..<end, in: &cluster)
      for _ in 0..<2 {
        let both = cluster.reports(of: [1, 0], version: end)
        #expect(both == [Self.expected(0, epoch: epoch), Self.expected(1, epoch: epoch)])
        let one = cluster.reports(of: [1], version: end, from: 1)
        #expect(one == [Self.expected(1, epoch: epoch)])
      }
      let other = cluster.reports(of: [0], version: end, at: 1)
      #expect(other == [])
    }
  }

  @Test("the pull that confirms the last shard of an epoch returns the sums, as do waiting pulls")
  func confirming() throws {
    var cluster = try Self.cluster()
    Self.train(0..<3, in: &cluster)
    for shard in 0..<UInt32(2) {
      let push = cluster.push([:], version: 3, shard: shard, sums: Self.sums(3, shard))
      #expect(pushOutcome(cluster.send(.push(push)).first?.body) == .accepted)
      #expect(pushOutcome(cluster.send(.push(push)).first?.body) == .duplicate)
    }
    #expect(cluster.send(TestCluster.closingPull([1], version: 4), from: 1).isEmpty)
    let replies = cluster.deliver(TestCluster.closingPull([0], version: 4))
    #expect(replies.map(\.peer) == [1, 0])
    let reports = replies.map { pullReply($0.reply.body)?.reports }
    #expect(reports == [[Self.expected(1, epoch: 0)], [Self.expected(0, epoch: 0)]])
  }

  @Test("pulls without a request for reports get none; within an epoch the request is refused")
  func onlyAtTheEnd() throws {
    var cluster = try Self.cluster()
    Self.train(0..<4, in: &cluster)
    #expect(
      pullReply(cluster.send(.pull(TestCluster.wholePull([Self.spec], version: 4))).first?.body)?
        .reports == [])
    for version in [5, 6] as [UInt64] {
      if version == 6 { Self.train(4..<5, in: &cluster) }
      let refused = refusal(cluster.send(TestCluster.closingPull([], version: version)).first?.body)
      #expect(refused?.code == .malformed)
      #expect(refused?.message.contains("epochs have 4 versions") == true)
    }
    let gone = refusal(cluster.send(TestCluster.closingPull([0], version: 4)).first?.body)
    #expect(gone?.code == .versionSuperseded && gone?.version == 5)
  }

  @Test("only server 0 accepts sums, and no more names than a message may contain")
  func limits() throws {
    var cluster = try Self.cluster(servers: 2)
    let push = cluster.push([:], version: 0, to: 1, sums: ["loss.a": 1])
    let refused = refusal(cluster.send(.push(push), to: 1).first?.body)
    #expect(refused?.code == .malformed && refused?.message.contains("server 0") == true)
    for (version, names) in [(0, 0..<200), (1, 150..<256)] as [(UInt64, Range<Int>)] {
      let sums = Dictionary(uniqueKeysWithValues: names.map { ("stat.\($0)", 1.0) })
      cluster.pushEverywhere([:], version: version, shard: 0, sums: sums)
      cluster.pushEverywhere([:], version: version, shard: 1)
    }
    let more = cluster.push([:], version: 2, sums: ["stat.256": 1])
    let limited = refusal(cluster.send(.push(more)).first?.body)
    #expect(limited?.code == .limit && limited?.message.contains("257") == true)
    let known = cluster.push([:], version: 2, sums: ["stat.255": 1])
    #expect(pushOutcome(cluster.send(.push(known)).first?.body) == .accepted)
  }
}
