import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Reductions over all shards")
struct ReduceTests {
  private static let spec = TableSpec(name: "item", rows: 8, width: 1, initializer: .constant(0))

  private static func cluster(
    shards: Int = 3, limits: ServerLimits = ServerLimits()
  ) throws -> TestCluster {
    try TestCluster([spec], shards: shards, limits: limits, greeted: [0, 1, 2, 3])
  }

  private static func reduce(_ shard: UInt32, _ values: [Double], version: UInt64 = 0)
    -> DataRequestBody
  {
    .reduce(
      ReduceRequest(
        name: ContributionName(generation: 1, version: version, shard: shard), values: values))
  }

  @Test("every request is answered when all shards have arrived, with sums in shard order")
  func sumsInShardOrder() throws {
    let values: [[Double]] = [[1, 10], [0x1p53, 20], [-0x1p53, 30]]
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
      var cluster = try Self.cluster()
      for shard in order.dropLast() {
        #expect(cluster.send(Self.reduce(UInt32(shard), values[shard]), from: shard).isEmpty)
      }
      let last = order[2]
      let replies = cluster.deliver(Self.reduce(UInt32(last), values[last]), from: last)
      #expect(Set(replies.map(\.peer)) == [0, 1, 2] && replies.count == 3)
      for (reply, _) in replies { #expect(sums(reply.body) == [(1 + 0x1p53) - 0x1p53, 60]) }
    }
    #expect((1 + 0x1p53) - 0x1p53 == 0.0)  // the order is visible
  }

  @Test("a repeated shard counts once; every request is answered")
  func duplicates() throws {
    var cluster = try Self.cluster(shards: 2)
    #expect(cluster.send(Self.reduce(0, [1]), from: 0, id: 5).isEmpty)
    #expect(cluster.send(Self.reduce(0, [1]), from: 0, id: 5).isEmpty, "sent again")
    #expect(cluster.send(Self.reduce(0, [1]), from: 3, id: 9).isEmpty, "computed by another worker")
    let replies = cluster.deliver(Self.reduce(1, [2]), from: 1)
    #expect(replies.map(\.peer).sorted() == [0, 1, 3])
    #expect(replies.allSatisfy { sums($0.reply.body) == [3] })
    #expect(sums(cluster.send(Self.reduce(0, [1])).first?.body) == [3])
  }

  @Test("the sums of the last two versions are kept")
  func kept() throws {
    var cluster = try Self.cluster(shards: 1)
    for version in 0..<UInt64(3) {
      #expect(
        sums(cluster.send(Self.reduce(0, [Double(version)], version: version)).first?.body) == [
          Double(version)
        ])
      cluster.pushEverywhere([:], version: version)
    }
    #expect(sums(cluster.send(Self.reduce(0, [2], version: 2)).first?.body) == [2])
    #expect(sums(cluster.send(Self.reduce(0, [1], version: 1)).first?.body) == [1])
    #expect(
      refusal(cluster.send(Self.reduce(0, [0], version: 0)).first?.body)?.version == 3)
    #expect(refusal(cluster.send(Self.reduce(0, [0], version: 4)).first?.body)?.code == .malformed)
  }

  @Test("a different number of values is refused with both numbers")
  func counts() throws {
    var cluster = try Self.cluster(shards: 2)
    #expect(cluster.send(Self.reduce(0, [1, 2])).isEmpty)
    let refused = try #require(
      refusal(cluster.send(Self.reduce(1, [1, 2, 3]), from: 1).first?.body))
    #expect(refused.code == .malformed)
    #expect(refused.message.contains("3 values") && refused.message.contains("gave 2"))
    #expect(cluster.send(Self.reduce(1, [1, 2]), from: 1).count == 2)
    #expect(refusal(cluster.send(Self.reduce(1, [1])).first?.body)?.code == .malformed)
  }

  @Test("unknown shards, numbers that are not finite and too many numbers are refused")
  func malformed() throws {
    var cluster = try Self.cluster(limits: ServerLimits(reduceValues: 4))
    #expect(refusal(cluster.send(Self.reduce(3, [1])).first?.body)?.code == .malformed)
    let notFinite = refusal(cluster.send(Self.reduce(0, [1, .nan])).first?.body)
    #expect(notFinite?.code == .diverged)
    #expect(notFinite?.message.contains("value 1 is nan") == true)
    #expect(refusal(cluster.send(Self.reduce(0, [1, 2, 3, 4, 5])).first?.body)?.code == .limit)
  }

  @Test("waiting requests are bounded, and dropped with their peer")
  func bounded() throws {
    var cluster = try Self.cluster(limits: ServerLimits(parkedReduces: 2))
    #expect(cluster.send(Self.reduce(0, [1]), from: 0).isEmpty)
    #expect(cluster.send(Self.reduce(0, [1]), from: 1).isEmpty)
    #expect(refusal(cluster.send(Self.reduce(0, [1]), from: 2).first?.body)?.code == .limit)
    cluster.disconnect(1)
    #expect(cluster.send(Self.reduce(1, [1]), from: 2).isEmpty)
    cluster.disconnect(2)
    #expect(cluster.deliver(Self.reduce(2, [1]), from: 3).map(\.peer) == [0, 3])
  }

  @Test("requests that still wait when the version ends are refused")
  func abandoned() throws {
    var cluster = try Self.cluster(shards: 2)
    #expect(cluster.send(Self.reduce(0, [1]), from: 1, id: 77).isEmpty)
    cluster.pushEverywhere([:], version: 0, shard: 0)
    cluster.send(.push(cluster.push([:], version: 0, shard: 1)))
    let replies = cluster.confirm([1], version: 0)
    let told = try #require(replies.first { $0.peer == 1 })
    #expect(told.reply.requestID == 77)
    let refused = try #require(refusal(told.reply.body))
    #expect(refused.code == .versionSuperseded && refused.version == 1)
  }
}

@Suite("Sums of gradient rows over all shards")
struct ReducedRowsTests {
  private static let spec = TableSpec(name: "item", rows: 8, width: 1, initializer: .constant(0))

  private static func cluster(
    shards: Int = 3, limits: ServerLimits = ServerLimits()
  ) throws -> TestCluster {
    try TestCluster([spec], shards: shards, limits: limits, greeted: [0, 1, 2])
  }

  /// Rows of one matrix, two numbers each.
  private static func rows(_ rows: [(key: UInt32, values: [Float])], table: UInt32 = 0)
    -> GradientRows
  {
    GradientRows(
      sections: [
        TableSection(table: table, rowCount: UInt32(rows.count), width: 2, isWhole: false)
      ],
      keys: .copying(rows.map(\.key)), values: .copying(rows.flatMap(\.values)))
  }

  private static func reduce(
    _ shard: UInt32, _ rows: GradientRows, version: UInt64 = 0, wantsRows: Bool = true
  ) -> DataRequestBody {
    .reduce(
      ReduceRequest(
        name: ContributionName(generation: 1, version: version, shard: shard),
        stage: .propagated, rows: rows, wantsRows: wantsRows))
  }

  private func sums(_ body: DataReplyBody?) -> GradientRows? {
    if case .reduced(let reply) = body { reply.rows } else { nil }
  }

  @Test("rows are added in shard order, whatever the order of arrival; the union is answered")
  func addsRows() throws {
    let large: Float = 0x1p24
    let shares = [
      Self.rows([(1, [1, 10]), (5, [7, 8])]), Self.rows([(1, [large, 0])]),
      Self.rows([(1, [-large, 5]), (2, [3, 4])]),
    ]
    // (1 + 2²⁴) − 2²⁴ is 0 in 32 bits; in another order it would be 1.
    let expected = Self.rows([(1, [0, 15]), (2, [3, 4]), (5, [7, 8])])
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
      var cluster = try Self.cluster()
      for shard in order.dropLast() {
        #expect(cluster.send(Self.reduce(UInt32(shard), shares[shard]), from: shard).isEmpty)
      }
      let last = order[2]
      let replies = cluster.deliver(Self.reduce(UInt32(last), shares[last]), from: last)
      #expect(replies.count == 3)
      for (reply, _) in replies { #expect(sums(reply.body) == expected) }
    }
  }

  @Test("only requests that want rows get them, and a repeated one gets them again")
  func wantsRows() throws {
    var cluster = try Self.cluster(shards: 2)
    #expect(cluster.send(Self.reduce(0, Self.rows([(3, [1, 2])]), wantsRows: false)).isEmpty)
    let replies = cluster.deliver(Self.reduce(1, .none), from: 1)
    #expect(replies.count == 2)
    for (reply, peer) in replies {
      let expected = peer == 1 ? Self.rows([(3, [1, 2])]) : .none
      #expect(sums(reply.body) == expected)
    }
    let again = cluster.send(Self.reduce(0, Self.rows([(3, [1, 2])])), from: 2)
    #expect(sums(again.first?.body) == Self.rows([(3, [1, 2])]))
  }

  @Test("the stages of a version are separate sums")
  func stages() throws {
    var cluster = try Self.cluster(shards: 1)
    let name = ContributionName(generation: 1, version: 0, shard: 0)
    let norms = cluster.send(.reduce(ReduceRequest(name: name, values: [4])))
    #expect(ParameterServerTests.sums(norms.first?.body) == [4])
    let rows = cluster.send(Self.reduce(0, Self.rows([(0, [1, 1])])))
    #expect(sums(rows.first?.body) == Self.rows([(0, [1, 1])]))
    #expect(ParameterServerTests.sums(rows.first?.body) == [])
  }

  @Test("rows out of order, of another width, not finite or too large are refused and not kept")
  func refused() throws {
    var cluster = try Self.cluster(shards: 2, limits: ServerLimits(replyBytes: 40))
    let good = Self.rows([(1, [1, 1])])
    func code(_ rows: GradientRows) -> Refusal.Code? {
      refusal(cluster.send(Self.reduce(1, rows), from: 1).first?.body)?.code
    }
    #expect(cluster.send(Self.reduce(0, good)).isEmpty)
    #expect(code(Self.rows([(2, [1, 1]), (2, [1, 1])])) == .malformed)
    #expect(code(Self.rows([(4, [1, 1]), (3, [1, 1])])) == .malformed)
    #expect(code(Self.rows([(4, [1, .nan])])) == .diverged)
    var wide = good
    wide.sections[0].width = 1
    wide.values = .copying([1] as [Float])
    #expect(code(wide) == .malformed)
    var twice = good
    twice.sections += good.sections
    twice.keys = .copying([1, 1] as [UInt32])
    twice.values = .copying([1, 1, 1, 1] as [Float])
    #expect(code(twice) == .malformed)
    #expect(code(Self.rows([(1, [1, 1]), (2, [1, 1]), (3, [1, 1])])) == .limit)
    #expect(
      sums(cluster.send(Self.reduce(1, good), from: 1).first?.body) == Self.rows([(1, [2, 2])]))
  }
}
