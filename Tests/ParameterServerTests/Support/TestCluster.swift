import ParameterServer
import Protocol
import Tables
import Testing

/// Rows of tables by table and row: a gradient, or values to assign.
typealias RowValues = [Int: [Int: [Float]]]

/// Some servers without a network; checks their invariants after every event.
struct TestCluster {
  let specs: [TableSpec]
  let placements: [TablePlacement]
  let generation: UInt64
  private(set) var servers: [ServerState<Int>] = []
  private var nextRequestID: UInt64 = 1

  init(
    _ specs: [TableSpec], servers serverCount: Int = 1, shards: Int = 1, generation: UInt64 = 1,
    kind: any RowOptimizer = SGD(), rate: LearningRate = LearningRate(1),
    discriminatorRate: LearningRate = LearningRate(1), moments: MomentPrecision = .float32,
    expiryEpochs: Int = 0,
    schedule: StepSchedule = StepSchedule(stepsPerEpoch: 4),
    consistency: Consistency = .bulkSynchronous, limits: ServerLimits = ServerLimits(),
    greeted: [Int] = [0], restoring source: (any CheckpointSource)? = nil
  ) throws {
    self.specs = specs
    self.generation = generation
    placements = specs.map { TablePlacement($0, in: SlotMap(serverCount: serverCount)) }
    let optimizer = OptimizerConfiguration(
      kind, model: rate, discriminator: discriminatorRate, moments: moments,
      expiryEpochs: expiryEpochs)
    for rank in 0..<serverCount {
      if let source {
        servers.append(
          try ServerState(
            rank: rank, serverCount: serverCount, runID: "run", generation: generation,
            tables: specs, seed: 7, shardCount: shards, schedule: schedule, optimizer: optimizer,
            consistency: consistency, limits: limits, restoring: source))
      } else {
        servers.append(
          try ServerState(
            rank: rank, serverCount: serverCount, runID: "run", generation: generation,
            tables: specs, seed: 7, shardCount: shards, schedule: schedule, optimizer: optimizer,
            consistency: consistency, limits: limits))
      }
      for peer in greeted {
        let hello = DataHello(runID: "run", generation: generation, sender: "worker \(peer)")
        #expect(isWelcome(send(.hello(hello), to: rank, from: peer).first?.body))
      }
    }
  }

  /// Delivers one request; the id is fresh unless given.
  @discardableResult
  mutating func send(
    _ body: DataRequestBody, to server: Int = 0, from peer: Int = 0, id: UInt64? = nil
  ) -> [DataReply] {
    deliver(body, to: server, from: peer, id: id).map(\.reply)
  }

  /// Like `send`, with the receiver of each reply.
  mutating func deliver(
    _ body: DataRequestBody, to server: Int = 0, from peer: Int = 0, id: UInt64? = nil
  ) -> [(reply: DataReply, peer: Int)] {
    let number = id ?? nextRequestID
    nextRequestID = max(nextRequestID, number) + 1
    let replies = servers[server].answer(DataRequest(id: number, body: body), from: peer)
    return checked(replies, at: server)
  }

  /// Confirms shards at a version with a pull of no rows.
  ///
  /// - Returns: the replies with their peers, including the one to this pull if it is complete.
  @discardableResult
  mutating func confirm(
    _ shards: [UInt32] = [0], version: UInt64, at server: Int = 0, from peer: Int = 0,
    id: UInt64? = nil
  ) -> [(reply: DataReply, peer: Int)] {
    let pull = PullRequest(
      generation: generation, version: version + 1, sections: [], keys: .empty, confirmed: shards)
    return deliver(.pull(pull), to: server, from: peer, id: id)
  }

  @discardableResult
  mutating func hold(_ server: Int = 0) -> UInt64 { servers[server].hold() }

  mutating func release(
    _ server: Int = 0, upTo version: UInt64? = nil
  ) -> [(reply: DataReply, peer: Int)] {
    let replies = servers[server].release(upTo: version)
    return checked(replies, at: server)
  }

  mutating func disconnect(_ peer: Int, from server: Int = 0) {
    servers[server].forget(peer)
    #expect(servers[server].brokenInvariants == [])
  }

  /// Checks the invariants of a server after an event, and returns its replies.
  private func checked(
    _ replies: [ServerReply<Int>], at server: Int
  ) -> [(reply: DataReply, peer: Int)] {
    #expect(servers[server].brokenInvariants == [])
    return replies.map { ($0.reply, $0.peer) }
  }

  /// A push of the rows that belong on one server.
  func push(
    _ values: RowValues, version: UInt64, shard: UInt32 = 0, kind: PushKind = .gradient,
    generation: UInt64? = nil, to server: Int = 0, sums: [String: Double] = [:]
  ) -> PushRequest {
    var sections: [TableSection] = []
    var keys: [UInt32] = []
    var numbers: [Float] = []
    for (table, rows) in values.sorted(by: { $0.key < $1.key }) {
      let held = rows.keys.sorted().filter { placements[table].server(ofRow: $0) == server }
      guard !held.isEmpty else { continue }
      sections.append(
        TableSection(
          table: UInt32(table), rowCount: UInt32(held.count), width: UInt32(specs[table].width),
          isWhole: false))
      keys += held.map(UInt32.init)
      numbers += held.flatMap { rows[$0] ?? [] }
    }
    return PushRequest(
      name: ContributionName(
        generation: generation ?? self.generation, version: version, shard: shard), kind: kind,
      sections: sections, keys: .copying(keys), values: .copying(numbers), sums: sums)
  }

  /// Pushes rows to the servers that hold them; every server gets its (possibly empty) share.
  /// Gradients are confirmed when all servers have them.
  mutating func pushEverywhere(
    _ values: RowValues, version: UInt64, shard: UInt32 = 0, kind: PushKind = .gradient,
    sums: [String: Double] = [:]
  ) {
    for server in servers.indices {
      let push = push(
        values, version: version, shard: shard, kind: kind, to: server,
        sums: server == 0 ? sums : [:])
      // Initial and final values go to the servers that have their rows.
      if kind == .assign && push.sections.isEmpty { continue }
      #expect(pushOutcome(send(.push(push), to: server).first?.body) == .accepted)
    }
    guard kind == .gradient else { return }
    for server in servers.indices { confirm([shard], version: version, at: server) }
  }

  static func wholePull(
    _ specs: [TableSpec], version: UInt64, tables: [Int]? = nil, generation: UInt64 = 1
  ) -> PullRequest {
    PullRequest(
      generation: generation, version: version,
      sections: (tables ?? Array(specs.indices)).map { table in
        TableSection(
          table: UInt32(table), rowCount: 0, width: UInt32(specs[table].width), isWhole: true)
      }, keys: .empty)
  }

  /// The pull that ends an epoch: it confirms shards and asks for their sums.
  static func closingPull(
    _ shards: [UInt32], version: UInt64, generation: UInt64 = 1
  ) -> DataRequestBody {
    .pull(
      PullRequest(
        generation: generation, version: version, sections: [], keys: .empty, confirmed: shards,
        wantsReports: true))
  }

  /// The reports that a closing pull gets at once; nil if it gets none.
  mutating func reports(
    of shards: [UInt32], version: UInt64, at server: Int = 0, from peer: Int = 0
  ) -> [UnitReport]? {
    let pull = Self.closingPull(shards, version: version, generation: generation)
    return pullReply(send(pull, to: server, from: peer).first?.body)?.reports
  }

  /// All rows of all tables, put together from all servers, `[table][row · width + column]`.
  mutating func pullAll(version: UInt64) throws -> [[Float]] {
    var result = specs.map { [Float](repeating: .nan, count: $0.rows * $0.width) }
    for server in servers.indices {
      let pull = Self.wholePull(specs, version: version, generation: generation)
      let replies = send(.pull(pull), to: server)
      let pulled = try #require(pullReply(replies.first?.body))
      let values = pulled.values.array(of: Float.self)
      var start = 0
      for section in pulled.sections {
        let table = Int(section.table)
        let width = specs[table].width
        let rows = placements[table].rows(ofServer: server)
        #expect(Int(section.rowCount) == rows.count)
        for row in rows {
          for column in 0..<width {
            result[table][Int(row) * width + column] = values[start + column]
          }
          start += width
        }
      }
      #expect(start == values.count)
    }
    return result
  }

  /// Some rows of one table from the server that holds them all.
  mutating func pullRows(_ rows: [Int], table: Int = 0, version: UInt64) throws -> [Float] {
    let section = TableSection(
      table: UInt32(table), rowCount: UInt32(rows.count), width: UInt32(specs[table].width),
      isWhole: false)
    let request = PullRequest(
      generation: generation, version: version, sections: [section],
      keys: .copying(rows.map(UInt32.init)))
    return try #require(pullReply(send(.pull(request)).first?.body)).values.array(of: Float.self)
  }
}

func isWelcome(_ body: DataReplyBody?) -> Bool {
  if case .welcome = body { true } else { false }
}

func pullReply(_ body: DataReplyBody?) -> PullReply? {
  if case .pulled(let reply) = body { reply } else { nil }
}

func pushOutcome(_ body: DataReplyBody?) -> PushOutcome? {
  if case .pushed(let outcome) = body { outcome } else { nil }
}

func sums(_ body: DataReplyBody?) -> [Double]? {
  if case .reduced(let reply) = body { reply.values } else { nil }
}

func refusal(_ body: DataReplyBody?) -> Refusal? {
  if case .refused(let refusal) = body { refusal } else { nil }
}
