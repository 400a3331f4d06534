import Protocol

/// The nodes that take part in a run: their ranks, whether they are ready for the generation, and
/// when the last message of each came.
///
/// Ranks are given by role: the one that the node had before if it is free, else the lowest free
/// one. The rank of a lost node is free again.
struct Members: Sendable {
  struct Member: Sendable, Equatable {
    var hello: NodeHello
    var rank: UInt32
    /// For the current generation.
    var isReady = false
    /// Seconds, on the coordinator's listening clock.
    var lastSeen: Double
    /// Of a server's tables in the current generation, as far as is known. Only rises within it.
    var version: UInt64 = 0
    /// Of the task under way, from the latest heartbeat.
    var taskProgress: UInt64 = 0
    /// The task that was sent to it and that its latest heartbeat did not name; 0 for none.
    var missedTask: UInt64 = 0
    /// Nil before its first heartbeat.
    var usage: MemberStatus.Usage?

    var role: NodeRole { hello.role }

    /// Such as `worker 1 (host n7, process 4711)`.
    var name: String {
      let role = hello.role == .worker ? "worker" : "server"
      return "\(role) \(rank) (host \(hello.host), process \(hello.processID))"
    }
  }

  /// How many workers may take part.
  static let workerLimit = UInt32(WireLimits.standard.members)

  let serverCount: UInt32
  private(set) var members: [NodeID: Member] = [:]
  /// By rank; nil where a node left.
  private var workerRanks: [NodeID?] = []
  /// By rank; nil where a node left.
  private var serverRanks: [NodeID?] = []
  /// The worker that was lost last and what happened to it; nil once a worker of its rank is ready.
  private var lastLostWorker: (rank: UInt32, fate: String)?

  init(serverCount: UInt32) {
    self.serverCount = serverCount
  }

  subscript(node: NodeID) -> Member? { members[node] }

  /// By rank.
  var workers: [NodeID] { workerRanks.compactMap { $0 } }

  /// By rank.
  var servers: [NodeID] { serverRanks.compactMap { $0 } }

  /// All nodes, servers before workers, by rank.
  var all: [NodeID] { servers + workers }

  // MARK: Joining and leaving

  /// Gives a rank, or nil when the run has all the nodes of that role.
  mutating func join(_ hello: NodeHello, at now: Double) -> Member? {
    let node = hello.incarnation
    let former = hello.holding?.rank
    let free =
      switch hello.role {
      case .worker: Self.occupy(&workerRanks, with: node, former, below: Self.workerLimit)
      case .server: Self.occupy(&serverRanks, with: node, former, below: serverCount)
      }
    guard let rank = free else { return nil }
    let member = Member(hello: hello, rank: rank, lastSeen: now)
    members[node] = member
    return member
  }

  private static func occupy(
    _ ranks: inout [NodeID?], with node: NodeID, _ former: UInt32?, below limit: UInt32
  ) -> UInt32? {
    var rank = ranks.firstIndex(of: nil) ?? ranks.count
    if let former, former < limit, Int(former) >= ranks.count || ranks[Int(former)] == nil {
      rank = Int(former)
    }
    guard rank < Int(limit) else { return nil }
    while ranks.count <= rank { ranks.append(nil) }
    ranks[rank] = node
    return UInt32(rank)
  }

  /// Removes a node and frees its rank.
  ///
  /// - Parameter how: what happened, for `lastLoss`.
  mutating func remove(_ node: NodeID, how: String) {
    guard let member = members.removeValue(forKey: node) else { return }
    switch member.role {
    case .worker:
      workerRanks[Int(member.rank)] = nil
      lastLostWorker = (
        member.rank, "worker \(member.rank) on \(member.hello.host) was lost: \(how)"
      )
    case .server: serverRanks[Int(member.rank)] = nil
    }
  }

  /// What happened to the worker that was lost last, in brackets, to end a sentence with; empty if
  /// none was, or if it was replaced.
  var lastLoss: String { lastLostWorker.map { " (\($0.fate))" } ?? "" }

  /// The process that has a name, if names are used.
  func member(named name: String) -> NodeID? {
    name.isEmpty ? nil : members.first { $0.value.hello.name == name }?.key
  }

  // MARK: Updates from messages

  mutating func markSeen(_ node: NodeID, at now: Double) { members[node]?.lastSeen = now }

  mutating func setHolding(_ holding: HeldState?, of node: NodeID) {
    members[node]?.hello.holding = holding
  }

  mutating func markReady(_ node: NodeID) {
    members[node]?.isReady = true
    guard let member = members[node], member.role == .worker else { return }
    if lastLostWorker?.rank == member.rank { lastLostWorker = nil }
  }

  /// No member is ready for a new generation.
  mutating func beginGeneration() {
    for node in members.keys {
      members[node]?.isReady = false
      members[node]?.version = 0
      members[node]?.missedTask = 0
    }
  }

  /// A server has at least this version: versions only rise within a generation.
  mutating func raiseVersion(to version: UInt64, of node: NodeID) {
    guard let member = members[node] else { return }
    members[node]?.version = max(member.version, version)
  }

  mutating func setProgress(_ progress: UInt64, of node: NodeID) {
    members[node]?.taskProgress = progress
  }

  mutating func setUsage(_ usage: MemberStatus.Usage, of node: NodeID) {
    members[node]?.usage = usage
  }

  /// A heartbeat did not name the task that its node has; 0 for none.
  ///
  /// - Returns: whether the heartbeat before did not name it either.
  mutating func note(missedTask task: UInt64, of node: NodeID) -> Bool {
    let isRepeated = task != 0 && members[node]?.missedTask == task
    members[node]?.missedTask = task
    return isRepeated
  }

  // MARK: The members together

  var areServersReady: Bool {
    servers.count == Int(serverCount) && servers.allSatisfy { members[$0]?.isReady == true }
  }

  /// By rank.
  var readyWorkers: [NodeID] { workers.filter { members[$0]?.isReady == true } }

  /// The version that all servers have reached.
  var lowestVersion: UInt64 { servers.compactMap { members[$0]?.version }.min() ?? 0 }

  /// The addresses at which servers answer workers, by rank.
  var dataEndpoints: [String] { servers.compactMap { members[$0]?.hello.dataEndpoint } }

  /// Where the servers are, by rank.
  var serverPlaces: [ServerPlace] {
    servers.compactMap { members[$0]?.hello }.map {
      ServerPlace(endpoint: $0.dataEndpoint, host: $0.host)
    }
  }

  /// The nodes that have been silent for longer than `timeout`, by rank.
  func silent(for timeout: Double, at now: Double) -> [NodeID] {
    all.filter { now - (members[$0]?.lastSeen ?? now) > timeout }
  }

  /// What is missing of a role, such as `1 worker (2 of 3 here)`; nil if nothing is.
  static func absence(_ role: String, of needed: Int, here count: Int) -> String? {
    guard count < needed else { return nil }
    let plural = needed - count == 1 ? "" : "s"
    return "\(needed - count) \(role)\(plural) (\(count) of \(needed) here)"
  }

  // MARK: Invariants

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(_ require: (Bool, String) -> Void) {
    require(Set(all).count == all.count, "a node has one rank")
    require(Set(all) == Set(members.keys), "exactly the members have ranks")
    require(workers.count <= Self.workerLimit, "no more workers than the limit")
    require(servers.count <= Int(serverCount), "no more servers than planned")
    for nodes in [workers, servers] {
      let ranks = nodes.compactMap { members[$0]?.rank }
      require(zip(ranks, ranks.dropFirst()).allSatisfy(<), "nodes are listed by rank")
    }
    let names = members.values.map(\.hello.name).filter { !$0.isEmpty }
    require(Set(names).count == names.count, "no two members have the same name")
  }
}
