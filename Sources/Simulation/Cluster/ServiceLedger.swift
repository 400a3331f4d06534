import Protocol

/// What servers did for whom, kept by the simulation itself: a rule that a server forgets shows
/// here even if the bits come out the same.
struct ServiceLedger {
  /// The tables of one server under one generation.
  struct Tables: Hashable {
    let server: ProcessName
    let generation: UInt64
  }

  /// A request as its sender meant it.
  private struct Asked {
    let generation: UInt64
    /// Of a gradient.
    let contribution: ContributionName?
    var requests = 0
    var replies = 0
  }

  private struct RequestName: Hashable {
    let connection: ConnectionName
    let id: UInt64
  }

  private var asked: [RequestName: Asked] = [:]
  /// Shards whose gradients were taken, by the version that they were computed from.
  private var taken: [Tables: [UInt64: Set<UInt32>]] = [:]

  /// Takes note of a request that has come.
  ///
  /// - Returns: how often it has.
  mutating func note(_ request: DataRequest, on connection: ConnectionName) -> Int {
    let name = RequestName(connection: connection, id: request.id)
    let first = Asked(
      generation: request.body.generation, contribution: request.body.contribution)
    asked[name, default: first].requests += 1
    return asked[name]?.requests ?? 0
  }

  /// Takes note of an answer that a server gives.
  ///
  /// - Parameter tables: those that it answers for; nil if it has none.
  /// - Returns: what is wrong with it, if anything.
  mutating func note(
    _ reply: DataReply, on connection: ConnectionName, of tables: Tables?
  ) -> String? {
    let name = RequestName(connection: connection, id: reply.requestID)
    asked[name]?.replies += 1
    guard let request = asked[name] else { return "was answered and never came" }
    guard request.replies <= request.requests else {
      return "came \(request.requests) times and was answered \(request.replies) times"
    }
    if case .refused = reply.body { return nil }
    guard let tables else { return "was granted without tables" }
    guard request.generation == tables.generation else {
      return "is of generation \(request.generation) and was granted in \(tables.generation)"
    }
    guard case .pushed(.accepted) = reply.body, let contribution = request.contribution,
      !taken[tables, default: [:]][contribution.version, default: []]
        .insert(contribution.shard).inserted
    else { return nil }
    return "counts again: shard \(contribution.shard) of version \(contribution.version)"
  }

  /// How many shards were taken for a version.
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
    }
  }

  fileprivate var contribution: ContributionName? {
    guard case .push(let push) = self, push.kind == .gradient else { return nil }
    return push.name
  }
}
