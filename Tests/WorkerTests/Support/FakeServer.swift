import Protocol
import Tables

/// A minimal server: versions begin when all shards are confirmed (or
/// have contributed, in ssp and async), contributions and sums count once, and it refuses with
/// `versionSuperseded`. It records what no worker should do.
struct FakeServer {
  struct Answer {
    let peer: Int
    let reply: DataReply
  }

  private struct Contribution: Equatable {
    let sections: [TableSection]
    let keys: [UInt32]
    let values: [Float]
    let sums: [String: Double]
  }

  private struct Waiter: Equatable {
    let peer: Int
    let id: UInt64
  }

  let rank: Int
  private(set) var generation: UInt64
  private(set) var version: UInt64 = 0
  /// Of each table, by row id.
  private(set) var rows: [[UInt32: [Float]]]
  /// Violations of the protocol by workers.
  private(set) var violations: [String] = []
  /// Itself when it had the last version that is a multiple of three, and the one before.
  private(set) var snapshots: [[UInt64: FakeServer]] = []
  private let tables: [TableSpec]
  private let shardCount: UInt32
  private let versionsPerEpoch: UInt64
  private let consistency: Consistency
  private var missing: [Set<UInt32>]
  private var peers: Set<Int> = []
  /// Of the current version and later ones.
  private var contributions: [UInt64: [UInt32: Contribution]] = [:]
  private var confirmed: [UInt64: Set<UInt32>] = [:]
  private var parked: [(waiter: Waiter, pull: PullRequest)] = []
  private var parts: [UInt32: [Double]] = [:]
  private var waiters: [Waiter] = []
  private var totals: [UInt64: [Double]] = [:]
  private var epochSums: [UInt32: [String: Double]] = [:]

  init(
    rank: Int, serverCount: Int, generation: UInt64, tables: [TableSpec], seed: UInt64,
    shardCount: Int, versionsPerEpoch: UInt64, consistency: Consistency
  ) {
    self.consistency = consistency
    self.rank = rank
    self.generation = generation
    self.tables = tables
    self.shardCount = UInt32(shardCount)
    self.versionsPerEpoch = versionsPerEpoch
    let map = SlotMap(serverCount: serverCount)
    rows = tables.map { spec in
      var values: [UInt32: [Float]] = [:]
      for row in TablePlacement(spec, in: map).rows(ofServer: rank) {
        var vector = [Float](repeating: 0, count: spec.width)
        vector.withUnsafeMutableBufferPointer {
          spec.initializer.fill($0, table: spec.name, row: Int(row), seed: seed)
        }
        values[row] = vector
      }
      return values
    }
    missing = zip(tables, rows).map { $0.initializer == .pushed ? Set($1.keys) : [] }
  }

  /// The same tables at the start of another generation, without peers and waiting requests.
  func restored(generation: UInt64) -> FakeServer {
    var server = self
    server.generation = generation
    server.peers = []
    server.contributions = [:]
    server.confirmed = [:]
    server.parked = []
    server.parts = [:]
    server.waiters = []
    server.totals = [:]
    return server
  }

  mutating func forget(_ peer: Int) { peers.remove(peer) }

  mutating func handle(_ request: DataRequest, from peer: Int) -> [Answer] {
    let waiter = Waiter(peer: peer, id: request.id)
    if case .hello(let hello) = request.body {
      if let refusal = refusal(hello.generation) { return [answer(waiter, refusal)] }
      peers.insert(peer)
      return [answer(waiter, .welcome)]
    }
    guard peers.contains(peer) else { return [answer(waiter, refused(.helloNeeded))] }
    switch request.body {
    case .hello: return []
    case .pull(let pull): return handle(pull, waiter)
    case .push(let push): return handle(push, waiter)
    case .reduce(let reduce): return handle(reduce, waiter)
    }
  }

  private func refusal(_ other: UInt64) -> DataReplyBody? {
    if other == generation { return nil }
    return refused(other < generation ? .staleGeneration : .notReady)
  }

  private func refused(_ code: Refusal.Code) -> DataReplyBody {
    .refused(
      Refusal(code: code, message: "no", version: code == .versionSuperseded ? version : 0))
  }

  private func answer(_ waiter: Waiter, _ body: DataReplyBody) -> Answer {
    Answer(peer: waiter.peer, reply: DataReply(requestID: waiter.id, body: body))
  }

  private mutating func note(_ violation: String, _ waiter: Waiter) -> [Answer] {
    violations.append("server \(rank) at \(version), peer \(waiter.peer): \(violation)")
    return [answer(waiter, refused(.malformed))]
  }

  // MARK: Pull

  private mutating func handle(_ pull: PullRequest, _ waiter: Waiter) -> [Answer] {
    if let refusal = refusal(pull.generation) { return [answer(waiter, refusal)] }
    if isGone(pull.version) { return [answer(waiter, refused(.versionSuperseded))] }
    if isReadable(pull.version) { return [answer(waiter, .pulled(rows(of: pull)))] }
    guard pull.version <= version + mostAhead + 1 else {
      return note("pulls \(pull.version)", waiter)
    }
    if !parked.contains(where: { $0.waiter == waiter }) { parked.append((waiter, pull)) }
    guard pull.version > version else { return [] }
    let before = pull.version - 1
    guard pull.confirmed.allSatisfy({ contributions[before]?[$0] != nil }) else {
      return note("confirms \(pull.confirmed) without a contribution", waiter)
    }
    confirmed[before, default: []].formUnion(pull.confirmed)
    return finishVersions()
  }

  // MARK: Versions

  private func epoch(of version: UInt64) -> UInt64 { version / versionsPerEpoch }

  private var mostAhead: UInt64 { consistency.bound ?? versionsPerEpoch }

  private func isGone(_ asked: UInt64) -> Bool {
    if consistency.isExact { return asked < version }
    return version > (epoch(of: asked) + 1) * versionsPerEpoch
  }

  private func isReadable(_ asked: UInt64) -> Bool {
    let first = epoch(of: asked) * versionsPerEpoch
    return missing.allSatisfy(\.isEmpty)
      && version >= consistency.oldestVersion(for: asked, inEpochFrom: first)
  }

  private var canFinishVersion: Bool {
    let isLast = (version + 1) % versionsPerEpoch == 0
    let count =
      consistency.isExact || isLast ? confirmed[version]?.count : contributions[version]?.count
    return count == Int(shardCount)
  }

  private mutating func finishVersions() -> [Answer] {
    var answers: [Answer] = []
    while canFinishVersion { answers += finishVersion() }
    return answers
  }

  private func rows(of pull: PullRequest) -> PullReply {
    var values: [Float] = []
    for (section, ids) in ids(pull.sections, pull.keys) {
      for id in ids { values += rows[Int(section.table)][id] ?? [] }
    }
    let reports = pull.wantsReports && rank == 0 ? pull.confirmed : []
    return PullReply(
      version: version, sections: pull.sections, values: .copying(values),
      reports: reports.map { UnitReport(unit: $0, sums: epochSums[$0] ?? [:]) })
  }

  private func ids(
    _ sections: [TableSection], _ keys: Payload
  ) -> [(section: TableSection, ids: [UInt32])] {
    var keys = keys.array(of: UInt32.self)[...]
    return sections.map { section in
      guard !section.isWhole else { return (section, rows[Int(section.table)].keys.sorted()) }
      defer { keys = keys.dropFirst(Int(section.rowCount)) }
      return (section, Array(keys.prefix(Int(section.rowCount))))
    }
  }

  private mutating func finishVersion() -> [Answer] {
    if version % versionsPerEpoch == 0 { epochSums = [:] }
    let complete = contributions.removeValue(forKey: version) ?? [:]
    confirmed[version] = nil
    for (shard, contribution) in complete.sorted(by: { $0.key < $1.key }) {
      forEachRow(contribution) { table, id, gradient in
        for column in gradient.indices { rows[table][id]?[column] -= 0.5 * gradient[column] }
      }
      for (name, value) in contribution.sums {
        epochSums[shard, default: [:]][name, default: 0] += value
      }
    }
    version += 1
    parts = [:]
    let given = waiters.map { answer($0, refused(.versionSuperseded)) }
    waiters = []
    if version % 3 == 0 {
      var copy = self
      copy.snapshots = []
      snapshots = Array((snapshots + [[version: copy]]).suffix(2))
    }
    return given + answerParked()
  }

  private mutating func answerParked() -> [Answer] {
    let waiting = parked
    parked = []
    var answers: [Answer] = []
    for (waiter, pull) in waiting {
      if isGone(pull.version) {
        answers.append(answer(waiter, refused(.versionSuperseded)))
      } else if isReadable(pull.version) {
        answers.append(answer(waiter, .pulled(rows(of: pull))))
      } else {
        parked.append((waiter, pull))
      }
    }
    return answers
  }

  private func forEachRow(
    _ contribution: Contribution, _ body: (_ table: Int, _ id: UInt32, _ row: [Float]) -> Void
  ) {
    var values = contribution.values[...]
    for (section, ids) in ids(contribution.sections, .copying(contribution.keys)) {
      for id in ids {
        body(Int(section.table), id, Array(values.prefix(Int(section.width))))
        values = values.dropFirst(Int(section.width))
      }
    }
  }

  // MARK: Push and reduce

  private mutating func handle(_ push: PushRequest, _ waiter: Waiter) -> [Answer] {
    if let refusal = refusal(push.name.generation) { return [answer(waiter, refusal)] }
    let version = push.name.version
    guard version >= self.version else { return [answer(waiter, .pushed(.duplicate))] }
    guard version - self.version <= mostAhead, epoch(of: version) == epoch(of: self.version) else {
      return note("pushes \(push.name)", waiter)
    }
    if rank > 0, !push.sums.isEmpty { return note("pushes sums", waiter) }
    let contribution = Contribution(
      sections: push.sections, keys: push.keys.array(of: UInt32.self),
      values: push.values.array(of: Float.self), sums: push.sums)
    switch push.kind {
    case .gradient:
      guard missing.allSatisfy(\.isEmpty) else { return note("pushes too early", waiter) }
      if let first = contributions[version]?[push.name.shard] {
        // In ssp and async another worker may have computed it from other rows.
        guard first == contribution || !consistency.isExact else {
          return note("pushes other bits", waiter)
        }
        return [answer(waiter, .pushed(.duplicate))]
      }
      contributions[version, default: [:]][push.name.shard] = contribution
      return [answer(waiter, .pushed(.accepted))] + finishVersions()
    case .assign:
      var written: [(Int, UInt32, [Float])] = []
      forEachRow(contribution) { table, id, row in written.append((table, id, row)) }
      for (table, id, row) in written {
        guard tables[table].rule == .assigned || missing[table].remove(id) != nil else { continue }
        rows[table][id] = row
      }
      return [answer(waiter, .pushed(.accepted))] + answerParked()
    }
  }

  private mutating func handle(_ reduce: ReduceRequest, _ waiter: Waiter) -> [Answer] {
    if let refusal = refusal(reduce.name.generation) { return [answer(waiter, refusal)] }
    guard consistency.isExact else { return note("waits for others", waiter) }
    if let sums = totals[reduce.name.version] { return [answer(waiter, .reduced(sums))] }
    if reduce.name.version < version { return [answer(waiter, refused(.versionSuperseded))] }
    guard reduce.name.version == version, rank == 0 else {
      return note("reduces \(reduce.name)", waiter)
    }
    if let first = parts[reduce.name.shard], first != reduce.values {
      return note("reduces other bits", waiter)
    }
    parts[reduce.name.shard] = reduce.values
    if !waiters.contains(waiter) { waiters.append(waiter) }
    guard parts.count == shardCount, var sums = parts[0] else { return [] }
    for shard in 1..<shardCount {
      for (index, value) in (parts[shard] ?? []).enumerated() { sums[index] += value }
    }
    totals = [version: sums]
    defer { waiters = [] }
    return waiters.map { answer($0, .reduced(sums)) }
  }
}
