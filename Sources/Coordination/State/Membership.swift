import Messages

/// The nodes of a run: who has which rank, who has set itself up, who was heard of when.
///
/// Ranks are given by role in the order of arrival and never change. A lost node ends the run, so
/// a rank is never given again; leases and rejoining nodes will change that here.
struct Membership: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    var hello: NodeHello
    var rank: UInt32
    var isReady = false
    /// Seconds, on the clock of the events.
    var lastSeen: Double
    /// Of the task under way, from the latest heartbeat.
    var taskProgress: UInt64 = 0

    /// Such as `worker 1 (host n7, process 4711)`.
    var name: String {
      let role = hello.role == .worker ? "worker" : "server"
      return "\(role) \(rank) (host \(hello.host), process \(hello.processID))"
    }
  }

  let workerCount: UInt32
  let serverCount: UInt32
  private(set) var members: [NodeID: Member] = [:]
  /// By rank.
  private(set) var workers: [NodeID] = []
  /// By rank.
  private(set) var servers: [NodeID] = []

  init(workerCount: UInt32, serverCount: UInt32) {
    self.workerCount = workerCount
    self.serverCount = serverCount
  }

  subscript(node: NodeID) -> Member? { members[node] }

  /// Gives the next rank of the role, or nil when the run has all the nodes of that role.
  mutating func join(_ hello: NodeHello, at now: Double) -> Member? {
    let rank = count(of: hello.role)
    guard rank < wantedCount(of: hello.role) else { return nil }
    let member = Member(hello: hello, rank: rank, lastSeen: now)
    members[hello.incarnation] = member
    switch hello.role {
    case .worker: workers.append(hello.incarnation)
    case .server: servers.append(hello.incarnation)
    }
    return member
  }

  mutating func markSeen(_ node: NodeID, at now: Double) { members[node]?.lastSeen = now }

  mutating func markReady(_ node: NodeID) { members[node]?.isReady = true }

  mutating func setProgress(_ progress: UInt64, of node: NodeID) {
    members[node]?.taskProgress = progress
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
