import Messages

/// The nodes of a run: who has which rank, who has set itself up for the generation, who was heard
/// of when.
///
/// Ranks are given by role: the one that the node had before if it is free, else the lowest free
/// one. The rank of a node that is lost is free again.
struct Membership: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    var hello: NodeHello
    var rank: UInt32
    /// For the current generation.
    var isReady = false
    /// Seconds, on the coordinator's listening clock.
    var lastSeen: Double
    /// Of a server's tables in the current generation, as far as is known.
    var version: UInt64 = 0
    /// Of the task under way, from the latest heartbeat.
    var taskProgress: UInt64 = 0
    /// The task that it has and that the latest heartbeat did not name; 0 for none.
    var missedTask: UInt64 = 0

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

  // MARK: Coming and going

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

  /// Forgets a node and frees its rank.
  mutating func leave(_ node: NodeID) {
    guard let member = members.removeValue(forKey: node) else { return }
    switch member.role {
    case .worker: workerRanks[Int(member.rank)] = nil
    case .server: serverRanks[Int(member.rank)] = nil
    }
  }

  /// The process that goes by a name, if names are used.
  func member(named name: String) -> NodeID? {
    name.isEmpty ? nil : members.first { $0.value.hello.name == name }?.key
  }

  // MARK: What is heard of a member

  mutating func markSeen(_ node: NodeID, at now: Double) { members[node]?.lastSeen = now }

  mutating func setHolding(_ holding: Holding?, of node: NodeID) {
    members[node]?.hello.holding = holding
  }

  mutating func markReady(_ node: NodeID) { members[node]?.isReady = true }

  /// Nobody is set up for a new generation.
  mutating func beginGeneration() {
    for node in members.keys {
      members[node]?.isReady = false
      members[node]?.version = 0
      members[node]?.missedTask = 0
    }
  }

  /// Takes note of a server's version; versions do not go back within a generation.
  mutating func raiseVersion(to version: UInt64, of node: NodeID) {
    guard let member = members[node] else { return }
    members[node]?.version = max(member.version, version)
  }

  mutating func setProgress(_ progress: UInt64, of node: NodeID) {
    members[node]?.taskProgress = progress
  }

  /// Takes note of the task that a heartbeat did not name, 0 for none.
  ///
  /// - Returns: whether the heartbeat before did not name it either.
  mutating func note(missedTask task: UInt64, of node: NodeID) -> Bool {
    let isRepeated = task != 0 && members[node]?.missedTask == task
    members[node]?.missedTask = task
    return isRepeated
  }

  // MARK: All together

  var areServersReady: Bool {
    servers.count == Int(serverCount) && servers.allSatisfy { members[$0]?.isReady == true }
  }

  /// By rank.
  var readyWorkers: [NodeID] { workers.filter { members[$0]?.isReady == true } }

  /// The version that all servers have reached.
  var lowestVersion: UInt64 { servers.compactMap { members[$0]?.version }.min() ?? 0 }

  /// Where the servers answer, by rank.
  var dataEndpoints: [String] { servers.compactMap { members[$0]?.hello.dataEndpoint } }

  /// The nodes that have been silent for longer than `timeout`, by rank.
  func silent(for timeout: Double, at now: Double) -> [NodeID] {
    all.filter { now - (members[$0]?.lastSeen ?? now) > timeout }
  }
}
