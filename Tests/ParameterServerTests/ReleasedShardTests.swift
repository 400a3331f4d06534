import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

/// Workers that are lost at any time, and others that take over their shards.
@Suite("Another worker computes the shards of a lost one again")
struct ReleasedShardTests {
  private static let spec = TableSpec(
    name: "count", rows: 32, width: 1, initializer: .constant(0), rowsPerBlock: 2)

  @Test("every contribution and every sum counts once", arguments: 0..<60 as Range<UInt64>)
  func randomDeaths(seed: UInt64) throws {
    let staleness = try greatestStaleness(of: History(seed: seed, consistency: .bulkSynchronous))
    #expect(staleness == 0)
  }

  @Test(
    "the same in ssp and async, and no row is staler than allowed",
    arguments: [
      .staleSynchronous(bound: 0), .staleSynchronous(bound: 1), .staleSynchronous(bound: 2),
      .staleSynchronous(bound: 3), .asynchronous,
    ] as [Consistency])
  func staleRows(consistency: Consistency) throws {
    var greatest: UInt64 = 0
    for seed in 0..<30 as Range<UInt64> {
      let history = try History(seed: seed, consistency: consistency)
      greatest = max(greatest, try greatestStaleness(of: history))
    }
    // Every allowed staleness occurs sooner or later.
    #expect(greatest == consistency.bound ?? History.versionsPerEpoch - 1)
  }

  /// Runs a history to its end and returns its result.
  private func greatestStaleness(of beginning: History) throws -> UInt64 {
    var history = beginning
    for _ in 0..<200_000 where !history.isOver { try history.step() }
    #expect(history.isOver)
    #expect(history.deaths > 0)
    #expect(try history.cluster.pullAll(version: History.end) == [History.expectedValues])
    for epoch in 0..<History.epochs {
      for shard in 0..<UInt32(History.shards) {
        #expect(history.reports[epoch][shard] == History.expectedSums(epoch, shard))
      }
    }
    return history.greatestStaleness
  }

  /// A process that computes shards as a worker does.
  private struct Owner {
    struct Request {
      let server: Int
      let id: UInt64
      let body: DataRequestBody
    }

    let peer: Int
    var shards: [UInt32]
    /// The version that it pulls or has pulled.
    var version: UInt64
    var isPushing = false
    /// Sent, perhaps repeatedly, and not answered yet.
    var outstanding: [Request] = []
    /// The lowest version of the rows that came.
    var lowest = UInt64.max
  }

  private struct History {
    static let shards = 4
    static let servers = 3
    static let epochs = 3
    static let versionsPerEpoch: UInt64 = 4
    static let end = UInt64(epochs) * versionsPerEpoch

    var cluster: TestCluster
    var reports = Array(repeating: [UInt32: [String: Double]](), count: epochs)
    var deaths = 0
    let consistency: Consistency
    private(set) var greatestStaleness: UInt64 = 0
    private var random: SeededGenerator
    private var owners: [Owner] = []
    /// Messages of lost workers that may still arrive.
    private var stray: [(peer: Int, request: Owner.Request)] = []
    private var epoch = 0
    private var nextPeer = 1
    private var nextID: UInt64 = 1_000

    var isOver: Bool { epoch == Self.epochs }

    init(seed: UInt64, consistency: Consistency) throws {
      self.consistency = consistency
      random = SeededGenerator(seed: seed)
      cluster = try TestCluster(
        [ReleasedShardTests.spec], servers: Self.servers, shards: Self.shards,
        schedule: StepSchedule(stepsPerEpoch: Int(Self.versionsPerEpoch)),
        consistency: consistency)
      lease(Array(0..<UInt32(Self.shards)))
    }

    static func gradient(_ version: UInt64, _ shard: UInt32) -> RowValues {
      var random = SeededGenerator(seed: version * 100 + UInt64(shard))
      var rows: [Int: [Float]] = [0: [1]]
      for _ in 0..<6 {
        rows[Int.random(in: 1..<32, using: &random)] = [
          Float(Int.random(in: 1...9, using: &random))
        ]
      }
      return [0: rows]
    }

    static func sums(_ version: UInt64, _ shard: UInt32) -> [String: Double] {
      ["loss": Double(version * 10 + UInt64(shard)), "stat.rows": 1]
    }

    static var expectedValues: [Float] {
      var values = [Float](repeating: 0, count: ReleasedShardTests.spec.rows)
      for version in 0..<end {
        for shard in 0..<UInt32(shards) {
          for (row, gradient) in gradient(version, shard)[0] ?? [:] { values[row] -= gradient[0] }
        }
      }
      return values
    }

    static func expectedSums(_ epoch: Int, _ shard: UInt32) -> [String: Double] {
      var result: [String: Double] = [:]
      let first = UInt64(epoch) * versionsPerEpoch
      for version in first..<first + versionsPerEpoch {
        for (name, value) in sums(version, shard) { result[name, default: 0] += value }
      }
      return result
    }

    private var firstVersion: UInt64 { UInt64(epoch) * Self.versionsPerEpoch }
    private var endVersion: UInt64 { firstVersion + Self.versionsPerEpoch }

    mutating func step() throws {
      switch Int.random(in: 0..<60, using: &random) {
      case 0: kill()
      case 1: if owners.count < 3 { split() }
      case 2..<4:
        if let index = stray.indices.randomElement(using: &random) {
          // Arrives late, after its sender was lost.
          let (peer, request) = stray.remove(at: index)
          deliver(request, from: peer)
        }
      default:
        guard let owner = quickOwner(),
          let request = owners[owner].outstanding.randomElement(using: &random)
        else { return }
        deliver(request, from: owners[owner].peer)
      }
    }

    /// A random worker, in most cases not the one that is slow in this epoch.
    private mutating func quickOwner() -> Int? {
      guard let owner = owners.indices.randomElement(using: &random) else { return nil }
      let isPassedOver = owner == epoch % owners.count && Int.random(in: 0..<8, using: &random) > 0
      return isPassedOver ? owners.indices.randomElement(using: &random) : owner
    }

    private mutating func deliver(_ request: Owner.Request, from peer: Int) {
      let answers = cluster.deliver(
        request.body, to: request.server, from: peer, id: request.id)
      for (reply, peer) in answers where Int.random(in: 0..<5, using: &random) > 0 {
        // The others are lost; the request is sent again.
        if let owner = owners.firstIndex(where: { $0.peer == peer }) { take(reply, owner) }
      }
    }

    private mutating func take(_ reply: DataReply, _ owner: Int) {
      guard let index = owners[owner].outstanding.firstIndex(where: { $0.id == reply.requestID })
      else { return }
      switch reply.body {
      case .refused(let refusal):
        #expect(refusal.code == .versionSuperseded, "\(refusal.message)")
        pull(refusal.version, isFirst: false, owner)
        return
      case .pulled(let pulled):
        #expect(isAcceptable(pulled.version, for: owners[owner].version))
        owners[owner].lowest = min(owners[owner].lowest, pulled.version)
        for report in pulled.reports { reports[epoch][report.unit] = report.sums }
      default: break
      }
      owners[owner].outstanding.remove(at: index)
      if owners[owner].outstanding.isEmpty { goOn(owner) }
    }

    private mutating func goOn(_ owner: Int) {
      let version = owners[owner].version
      if owners[owner].isPushing { return pull(version + 1, isFirst: false, owner) }
      if version == endVersion { return finishEpoch() }
      // All servers have passed it.
      let lowest = owners[owner].lowest
      if lowest > version { return pull(lowest, isFirst: false, owner) }
      greatestStaleness = max(greatestStaleness, version - lowest)
      owners[owner].isPushing = true
      for shard in owners[owner].shards {
        for server in 0..<Self.servers {
          let push = cluster.push(
            Self.gradient(version, shard), version: version, shard: shard, to: server,
            sums: server == 0 ? Self.sums(version, shard) : [:])
          send(.push(push), to: server, owner)
        }
      }
    }

    private func isAcceptable(_ version: UInt64, for asked: UInt64) -> Bool {
      if consistency.isExact || asked == endVersion { return version == asked }
      let oldest = consistency.bound.map { asked > $0 ? asked - $0 : 0 } ?? 0
      return version >= max(oldest, firstVersion) && version <= endVersion
    }

    private mutating func pull(_ version: UInt64, isFirst: Bool, _ owner: Int) {
      owners[owner].outstanding = []
      owners[owner].lowest = .max
      owners[owner].isPushing = false
      owners[owner].version = version
      #expect(version <= endVersion)
      for server in 0..<Self.servers {
        let isClosing = version == endVersion
        let pull = PullRequest(
          generation: 1, version: version, sections: [], keys: .empty,
          confirmed: isFirst && !isClosing ? [] : owners[owner].shards, wantsReports: isClosing)
        send(.pull(pull), to: server, owner)
      }
    }

    private mutating func send(_ body: DataRequestBody, to server: Int, _ owner: Int) {
      nextID += 1
      owners[owner].outstanding.append(.init(server: server, id: nextID, body: body))
    }

    /// Gives shards to a new process, to begin at the lowest version of any server.
    private mutating func lease(_ shards: [UInt32]) {
      let peer = nextPeer
      nextPeer += 1
      for server in 0..<Self.servers {
        let hello = DataHello(runID: "run", generation: 1, sender: "owner \(peer)")
        cluster.send(.hello(hello), to: server, from: peer)
      }
      owners.append(Owner(peer: peer, shards: shards, version: 0))
      begin(owners.count - 1)
    }

    private mutating func begin(_ owner: Int) {
      let lowest = cluster.servers.map(\.version).min() ?? 0
      pull(max(firstVersion, lowest), isFirst: true, owner)
    }

    /// Kills a process; its shards go to a new one, or to one that has some already.
    private mutating func kill() {
      guard let index = owners.indices.randomElement(using: &random) else { return }
      deaths += 1
      let dead = owners.remove(at: index)
      for request in dead.outstanding { stray.append((dead.peer, request)) }
      for server in 0..<Self.servers where Bool.random(using: &random) {
        cluster.disconnect(dead.peer, from: server)
        stray.removeAll { $0.peer == dead.peer && $0.request.server == server }
      }
      if let other = owners.indices.randomElement(using: &random), Bool.random(using: &random) {
        owners[other].shards += dead.shards
        begin(other)
      } else {
        lease(dead.shards)
      }
    }

    /// Moves half of a process's shards to a new one.
    private mutating func split() {
      guard let index = owners.firstIndex(where: { $0.shards.count > 1 }) else { return }
      let half = owners[index].shards.count / 2
      let moved = Array(owners[index].shards.suffix(half))
      for request in owners[index].outstanding { stray.append((owners[index].peer, request)) }
      owners[index].shards.removeLast(half)
      begin(index)
      lease(moved)
    }

    private mutating func finishEpoch() {
      guard reports[epoch].count == Self.shards else { return }
      epoch += 1
      guard !isOver else { return }
      for owner in owners.indices { begin(owner) }
    }
  }
}
