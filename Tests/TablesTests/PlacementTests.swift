import Tables
import Testing

@Suite("Placement of rows on servers")
struct PlacementTests {
  private func placement(
    rows: Int, rowsPerBlock: Int, servers: Int, name: String = "item"
  ) -> TablePlacement {
    TablePlacement(
      TableSpec(
        name: name, rows: rows, width: 1, initializer: .constant(0), rowsPerBlock: rowsPerBlock),
      in: SlotMap(serverCount: servers))
  }

  @Test(
    "every slot has one server, and servers share the slots evenly", arguments: [1, 2, 3, 7, 4096])
  func slots(servers: Int) {
    let map = SlotMap(serverCount: servers)
    var counts = [Int](repeating: 0, count: servers)
    for slot in 0..<SlotMap.slotCount { counts[map.server(ofSlot: slot)] += 1 }
    let even = SlotMap.slotCount / servers
    #expect(counts.allSatisfy { $0 == even || $0 == even + 1 })
  }

  @Test("blocks spread over all slots without clusters")
  func spread() {
    let hash = StableHash.of("item")
    var counts = [Int](repeating: 0, count: SlotMap.slotCount)
    for block in 0..<SlotMap.slotCount * 16 {
      counts[SlotMap.slot(tableHash: hash, block: block)] += 1
    }
    // Poisson with mean 16: a slot that is empty or has 48 occurs in one run of 10^5.
    #expect((counts.min() ?? 0) > 0)
    #expect((counts.max() ?? 0) < 48)
  }

  @Test("two tables put the same block on different servers")
  func tablesDiffer() {
    let item = placement(rows: 4096, rowsPerBlock: 1, servers: 8)
    let user = placement(rows: 4096, rowsPerBlock: 1, servers: 8, name: "user")
    let same = (0..<4096).count { item.server(ofRow: $0) == user.server(ofRow: $0) }
    #expect((350..<690).contains(same))  // 512 expected
  }

  @Test(
    "every row is on exactly one server",
    arguments: [(1, 16), (15, 16), (16, 16), (17, 16), (1000, 16), (1000, 7), (10, 4096)])
  func coverage(rows: Int, rowsPerBlock: Int) {
    for servers in [1, 2, 3, 8] {
      let placement = placement(rows: rows, rowsPerBlock: rowsPerBlock, servers: servers)
      var owners = [Int](repeating: -1, count: rows)
      for server in 0..<servers {
        let held = placement.rows(ofServer: server)
        #expect(held == held.sorted())
        for row in held {
          #expect(owners[Int(row)] == -1, "row \(row) is on two servers")
          owners[Int(row)] = server
          #expect(placement.server(ofRow: Int(row)) == server)
        }
      }
      #expect(!owners.contains(-1))
    }
  }

  @Test("blocks are cut in order, the last one may be short, and a block stays together")
  func blocks() {
    let placement = placement(rows: 50, rowsPerBlock: 16, servers: 3)
    #expect(placement.blockCount == 4)
    #expect((0..<4).flatMap { placement.rows(inBlock: $0) } == Array(0..<50))
    for block in 0..<4 {
      for row in placement.rows(inBlock: block) {
        #expect(placement.server(ofRow: row) == placement.server(ofBlock: block))
      }
    }
  }

  @Test("placement is part of the format: it never changes between releases")
  func golden() {
    let placement = placement(rows: 256, rowsPerBlock: 16, servers: 4)
    #expect((0..<16).map { placement.server(ofBlock: $0) } == Self.goldenServers)
  }

  /// By hand from FNV-1a and SplitMix64.
  private static let goldenServers = [3, 2, 1, 1, 1, 2, 3, 2, 0, 0, 2, 2, 1, 0, 3, 3]
}

@Suite("Stable hash")
struct StableHashTests {
  // Published FNV-1a test vectors (64 bits).
  @Test(
    "equals the published FNV-1a values",
    arguments: [
      ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c),
      ("foobar", 0x8594_4171_f739_67e8),
    ] as [(String, UInt64)])
  func vectors(text: String, hash: UInt64) { #expect(StableHash.of(text) == hash) }
}
