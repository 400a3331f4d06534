import Protocol

/// The requests and answers of all servers, counted by the simulation itself: a rule that a server
/// breaks shows here even if the resulting bits are right.
struct ServiceLedger {
  /// The tables of one server under one generation.
  struct Tables: Hashable {
    let server: ProcessName
    let generation: UInt64
  }

  /// A request as it was sent, before a mutation changes it.
  private struct Asked {
    let generation: UInt64
    /// Nil unless it pushes a gradient.
    let contribution: ContributionName?
    /// Nil unless it asks for sums over all shards.
    let sums: SumsName?
    var requests = 0
    var replies = 0
  }

  /// The sums of one stage of a version.
  private struct SumsName: Hashable {
    let version: UInt64
    let stage: ReduceStage
  }

  private struct RequestName: Hashable {
    let connection: ConnectionName
    let id: UInt64
  }

  private var asked: [RequestName: Asked] = [:]
  /// Shards whose gradients were accepted, by the version that they contribute to.
  private var taken: [Tables: [UInt64: Set<UInt32>]] = [:]
  /// Shards whose shares of sums have arrived.
  private var summed: [Tables: [SumsName: Set<UInt32>]] = [:]

  /// Records that a request has arrived.
  ///
  /// - Parameter tables: of the server; nil if it has none.
  /// - Returns: how often it has arrived so far.
  mutating func note(
    _ request: DataRequest, on connection: ConnectionName, of tables: Tables?
  ) -> Int {
    let name = RequestName(connection: connection, id: request.id)
    var sums: SumsName?
    if case .reduce(let reduce) = request.body {
      let asked = SumsName(version: reduce.name.version, stage: reduce.stage)
      sums = asked
      if let tables, tables.generation == reduce.name.generation {
        summed[tables, default: [:]][asked, default: []].insert(reduce.name.shard)
      }
    }
    let first = Asked(
      generation: request.body.generation, contribution: request.body.contribution, sums: sums)
    asked[name, default: first].requests += 1
    return asked[name]?.requests ?? 0
  }

  /// Records an answer of a server.
  ///
  /// - Parameter tables: of the server; nil if it has none.
  /// - Returns: the rule that the answer breaks, as the end of a sentence; nil if it breaks none.
  mutating func note(
    _ reply: DataReply, on connection: ConnectionName, of tables: Tables?
  ) -> String? {
    let name = RequestName(connection: connection, id: reply.requestID)
    asked[name]?.replies += 1
    guard let request = asked[name] else { return "was answered but never arrived" }
    guard request.replies <= request.requests else {
      return "arrived \(request.requests) times and was answered \(request.replies) times"
    }
    if case .refused = reply.body { return nil }
    guard let tables else { return "was granted without tables" }
    guard request.generation == tables.generation else {
      return "is of generation \(request.generation) and was granted in \(tables.generation)"
    }
    if case .reduced = reply.body, let sums = request.sums {
      let count = summed[tables]?[sums]?.count ?? 0
      guard count == SimulationProblem.shardCount else {
        return "got sums of version \(sums.version) over \(count) shards"
      }
    }
    guard case .pushed(.accepted) = reply.body, let contribution = request.contribution,
      !taken[tables, default: [:]][contribution.version, default: []]
        .insert(contribution.shard).inserted
    else { return nil }
    return "counts again: shard \(contribution.shard) of version \(contribution.version)"
  }

  /// How many shards' gradients were accepted for a version.
  func shardCount(ofVersion version: UInt64, in tables: Tables) -> Int {
    taken[tables]?[version]?.count ?? 0
  }
}

extension DataRequestBody {
  fileprivate var generation: UInt64 {
    switch self {
    case .hello(let hello): hello.generation
    case .pull(let pull): pull.generation
    case .push(let push): push.name.generation
    case .reduce(let reduce): reduce.name.generation
    case .copy(let copy): copy.generation
    }
  }

  fileprivate var contribution: ContributionName? {
    guard case .push(let push) = self, push.kind == .gradient else { return nil }
    return push.name
  }
}
