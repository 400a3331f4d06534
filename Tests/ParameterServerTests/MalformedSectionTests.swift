import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Malformed sections")
struct MalformedSectionTests {
  private static let specs = [
    TableSpec(name: "item", rows: 64, width: 2, initializer: .constant(1), rowsPerBlock: 1),
    TableSpec(name: "w", rows: 3, width: 4, initializer: .constant(1)),
    TableSpec(name: "final", rows: 3, width: 4, initializer: .constant(0), rule: .assigned),
  ]
  /// Rows of the table `item` on server 0 of two, and one that is not there.
  private static let placement = TablePlacement(specs[0], in: SlotMap(serverCount: 2))
  private static let held = placement.rows(ofServer: 0)
  private static let foreign = placement.rows(ofServer: 1)[0]

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var sections: [TableSection]
    var keys: [UInt32] = []
    var extraKeyBytes: [UInt8] = []
    var values: [Float]
    let mentions: [String]
    var alsoBreaksPulls = true
    var code = Refusal.Code.malformed
  }

  private static func item(_ count: Int, width: UInt32 = 2, isWhole: Bool = false) -> TableSection {
    TableSection(table: 0, rowCount: UInt32(count), width: width, isWhole: isWhole)
  }

  static let bad: [Bad] = [
    Bad(
      testDescription: "unknown table",
      sections: [TableSection(table: 3, rowCount: 0, width: 2, isWhole: false)], values: [],
      mentions: ["table 3", "3 tables"]),
    Bad(
      testDescription: "absurd table and count",
      sections: [TableSection(table: .max, rowCount: .max, width: .max, isWhole: true)], values: [],
      mentions: ["4294967295"]),
    Bad(
      testDescription: "unknown table after a good section",
      sections: [item(1), TableSection(table: 7, rowCount: 0, width: 2, isWhole: false)],
      keys: [held[0]], values: [1, 1], mentions: ["table 7"]),
    Bad(
      testDescription: "wrong width", sections: [item(1, width: 3)], keys: [held[0]],
      values: [1, 1, 1], mentions: ["'item'", "width 2", "width 3"]),
    Bad(
      testDescription: "descending keys", sections: [item(2)], keys: [held[1], held[0]],
      values: [1, 1, 1, 1], mentions: ["'item'", "key \(held[0]) follows key \(held[1])"]),
    Bad(
      testDescription: "repeated key", sections: [item(2)], keys: [held[0], held[0]],
      values: [1, 1, 1, 1], mentions: ["'item'", "follows"]),
    Bad(
      testDescription: "key out of range", sections: [item(1)], keys: [64], values: [1, 1],
      mentions: ["64", "'item'", "64 rows"]),
    Bad(
      testDescription: "largest key", sections: [item(1)], keys: [.max], values: [1, 1],
      mentions: ["4294967295"]),
    Bad(
      testDescription: "row of another server", sections: [item(1)], keys: [foreign],
      values: [1, 1], mentions: ["row \(foreign)", "'item'", "not on this server"]),
    Bad(
      testDescription: "whole section of another size",
      sections: [item(held.count + 1, isWhole: true)],
      values: [Float](repeating: 1, count: 2 * held.count + 2),
      mentions: ["'item'", "\(held.count) rows", "section has \(held.count + 1)"]),
    Bad(
      testDescription: "more keys than rows", sections: [item(65)], values: [],
      mentions: ["65", "'item'"]),
    Bad(
      testDescription: "missing keys", sections: [item(2)], keys: [held[0]], values: [1, 1, 1, 1],
      mentions: ["'item'", "4 bytes"]),
    Bad(
      testDescription: "left-over keys", sections: [item(1)], keys: [held[0], held[1]],
      values: [1, 1], mentions: ["1 keys", "8 bytes"]),
    Bad(
      testDescription: "a key and a half", sections: [item(1)], keys: [held[0]],
      extraKeyBytes: [1, 2], values: [1, 1], mentions: ["6 bytes"]),
    Bad(
      testDescription: "table in two sections", sections: [item(1), item(1)],
      keys: [held[0], held[1]], values: [1, 1, 1, 1], mentions: ["'item'", "two sections"]),
    Bad(
      testDescription: "missing values", sections: [item(2)], keys: [held[0], held[1]],
      values: [1, 1, 1], mentions: ["4 values", "12 bytes"], alsoBreaksPulls: false),
    Bad(
      testDescription: "left-over values", sections: [item(1)], keys: [held[0]],
      values: [1, 1, 1], mentions: ["2 values", "12 bytes"], alsoBreaksPulls: false),
    Bad(
      testDescription: "not a number", sections: [item(2)], keys: [held[0], held[1]],
      values: [1, 1, 1, .nan], mentions: ["row \(held[1])", "'item'", "nan", "column 1"],
      alsoBreaksPulls: false, code: .diverged),
    Bad(
      testDescription: "infinite in a whole section", sections: [item(held.count, isWhole: true)],
      values: [Float](repeating: 1, count: 2 * held.count - 2) + [.infinity, 1],
      mentions: ["row \(held[held.count - 1])", "inf", "column 0"], alsoBreaksPulls: false,
      code: .diverged),
    Bad(
      testDescription: "gradient of an assigned table",
      sections: [TableSection(table: 2, rowCount: 0, width: 4, isWhole: false)], values: [],
      mentions: ["'final'", "assigned"], alsoBreaksPulls: false),
  ]

  private static func keyPayload(_ bad: Bad) -> Payload {
    .copying(
      bad.keys.flatMap { key in (0..<4).map { UInt8(truncatingIfNeeded: key >> (8 * $0)) } }
        + bad.extraKeyBytes)
  }

  @Test("a push is refused with the reason, and nothing of it is kept", arguments: bad)
  func push(bad: Bad) throws {
    var cluster = try TestCluster(Self.specs, servers: 2)
    let push = PushRequest(
      name: ContributionName(generation: 1, version: 0, shard: 0), kind: .gradient,
      sections: bad.sections, keys: Self.keyPayload(bad), values: .copying(bad.values))
    let before = try cluster.pullAll(version: 0)
    let refused = try #require(refusal(cluster.send(.push(push)).first?.body))
    #expect(refused.code == bad.code)
    #expect(refused.message.contains("worker 0's push of shard 0 at version 0"))
    for word in bad.mentions { #expect(refused.message.contains(word), "\(refused.message)") }
    #expect(cluster.servers[0].version == 0)
    #expect(try cluster.pullAll(version: 0) == before)
    #expect(cluster.servers[0].statistics.refusals == [bad.code: 1])
    // The same shard may still come with a right push.
    cluster.pushEverywhere([:], version: 0)
    #expect(cluster.servers[0].version == 1)
  }

  @Test("a pull is refused with the reason", arguments: bad.filter(\.alsoBreaksPulls))
  func pull(bad: Bad) throws {
    var cluster = try TestCluster(Self.specs, servers: 2)
    for version in [0, 1] as [UInt64] {
      let pull = PullRequest(
        generation: 1, version: version, sections: bad.sections, keys: Self.keyPayload(bad))
      let refused = try #require(refusal(cluster.send(.pull(pull)).first?.body))
      #expect(refused.code == .malformed)
      for word in bad.mentions { #expect(refused.message.contains(word), "\(refused.message)") }
    }
  }

  @Test("a shard that the run does not have is refused", arguments: [2, UInt32.max])
  func shard(shard: UInt32) throws {
    var cluster = try TestCluster(Self.specs, shards: 2)
    let refused = refusal(
      cluster.send(.push(cluster.push([:], version: 0, shard: shard))).first?.body)
    #expect(refused?.code == .malformed && refused?.message.contains("2 shards") == true)
  }

  @Test("contributions beyond the memory limit are refused with both sizes")
  func contributionLimit() throws {
    var cluster = try TestCluster(
      Self.specs, shards: 2, limits: ServerLimits(contributionBytes: 8))
    cluster.pushEverywhere([0: [0: [1, 1]]], version: 0, shard: 0)
    let second = cluster.push([0: [0: [1, 1]]], version: 0, shard: 1)
    let refused = refusal(cluster.send(.push(second)).first?.body)
    #expect(refused?.code == .limit && refused?.message.contains("16 bytes") == true)
  }

  @Test("values may lie at any address")
  func misaligned() throws {
    var cluster = try TestCluster(Self.specs)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 9, alignment: 8)
    for (index, value) in ([2, 3] as [Float]).enumerated() {
      bytes.storeBytes(of: value, toByteOffset: 1 + 4 * index, as: Float.self)
    }
    nonisolated(unsafe) let owned = bytes
    var push = cluster.push([0: [5: [0, 0]]], version: 0)
    push.values = Payload(bytes: UnsafeRawBufferPointer(rebasing: bytes[1...])) {
      owned.deallocate()
    }
    #expect(pushOutcome(cluster.send(.push(push)).first?.body) == .accepted)
    cluster.confirm(version: 0)
    #expect(try cluster.pullRows([5], version: 1) == [-1, -2])
  }
}
