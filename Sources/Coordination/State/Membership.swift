import Messages

/// The nodes of a run: who has which rank, who has set itself up, who was heard of when.
///
/// Ranks are given by role, the lowest free one first, and never change. Only the rank of a node
/// that leaves while the cluster forms becomes free again; later a lost node ends the run. Leases
/// and rejoining nodes will change that here.
struct Membership: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    var hello: NodeHello
    var rank: UInt32
    var isReady = false
    /// Seconds, on the clock of the events.
    var lastSeen: Double
    /// Of the task under way, from the latest heartbeat.
    var taskProgress: UInt64 = 0
    /// The task that it has and that the latest heartbeat did not name; 0 for none.
    var missedTask: UInt64 = 0

    /// Such as `worker 1 (host n7, process 4711)`.
    var name: String {
      let role = hello.role == .worker ? "worker" : "server"
      return "\(role) \(rank) (host \(hello.host), process \(hello.processID))"
    }
  }

  let workerCount: UInt32
  let serverCount: UInt32
  private(set) var members: [NodeID: Member] = [:]
  /// By rank; nil where a node left.
  private var workerRanks: [NodeID?] = []
  /// By rank; nil where a node left.
  private var serverRanks: [NodeID?] = []

  init(workerCount: UInt32, serverCount: UInt32) {
    self.workerCount = workerCount
    self.serverCount = serverCount
  }

  subscript(node: NodeID) -> Member? { members[node] }

  /// By rank.
  var workers: [NodeID] { workerRanks.compactMap { $0 } }

  /// By rank.
  var servers: [NodeID] { serverRanks.compactMap { $0 } }

  /// Gives the lowest free rank of the role, or nil when the run has all the nodes of that role.
  mutating func join(_ hello: NodeHello, at now: Double) -> Member? {
    let node = hello.incarnation
    let free =
      switch hello.role {
      case .worker: Self.occupy(&workerRanks, with: node, atMost: workerCount)
      case .server: Self.occupy(&serverRanks, with: node, atMost: serverCount)
      }
    guard let rank = free else { return nil }
    let member = Member(hello: hello, rank: rank, lastSeen: now)
    members[node] = member
    return member
  }

  private static func occupy(
    _ ranks: inout [NodeID?], with node: NodeID, atMost limit: UInt32
  ) -> UInt32? {
    let rank = ranks.firstIndex(of: nil) ?? ranks.count
    guard rank < Int(limit) else { return nil }
    if rank == ranks.count { ranks.append(node) } else { ranks[rank] = node }
    return UInt32(rank)
  }

  /// Forgets a node and frees its rank.
  mutating func leave(_ node: NodeID) {
    guard let member = members.removeValue(forKey: node) else { return }
    switch member.hello.role {
    case .worker: workerRanks[Int(member.rank)] = nil
    case .server: serverRanks[Int(member.rank)] = nil
    }
  }

  mutating func markSeen(_ node: NodeID, at now: Double) { members[node]?.lastSeen = now }

  mutating func markReady(_ node: NodeID) { members[node]?.isReady = true }

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

  /// Credits every member with a time in which nobody listened.
  mutating func forgive(seconds: Double) {
    for node in members.keys { members[node]?.lastSeen += seconds }
  }

  func count(of role: NodeRole) -> UInt32 {
    UInt32(role == .worker ? workers.count : servers.count)
  }

  func wantedCount(of role: NodeRole) -> UInt32 { role == .worker ? workerCount : serverCount }

  var areServersReady: Bool {
    servers.count == Int(serverCount) && servers.allSatisfy { members[$0]?.isReady == true }
  }

  var areAllReady: Bool {
    areServersReady && workers.count == Int(workerCount)
      && workers.allSatisfy { members[$0]?.isReady == true }
  }

  /// Where the servers answer, by rank.
  var dataEndpoints: [String] { servers.compactMap { members[$0]?.hello.dataEndpoint } }

  /// All nodes, servers before workers, by rank.
  var all: [NodeID] { servers + workers }

  /// The node that has been silent for longest, if it is longer than `timeout`.
  func silent(for timeout: Double, at now: Double) -> NodeID? {
    all.filter { now - (members[$0]?.lastSeen ?? now) > timeout }
      .min { (members[$0]?.lastSeen ?? now) < (members[$1]?.lastSeen ?? now) }
  }

  /// Who is missing from a complete cluster, for people.
  var missing: String {
    var parts: [String] = []
    for role in [NodeRole.server, .worker] {
      let absent = wantedCount(of: role) - count(of: role)
      let name = role == .worker ? "worker" : "server"
      if absent > 0 { parts.append("\(absent) \(name)\(absent == 1 ? "" : "s") did not come") }
    }
    for node in all {
      if let member = members[node], !member.isReady { parts.append("\(member.name) is not ready") }
    }
    return parts.joined(separator: ", ")
  }
}
