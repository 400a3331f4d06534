/// How many processes a cluster has.
package struct ClusterShape: Sendable, Hashable {
  package var workers: Int
  package var servers: Int

  package init(workers: Int, servers: Int) {
    self.workers = workers
    self.servers = servers
  }

  static func random(_ dice: inout Dice) -> ClusterShape {
    ClusterShape(workers: dice.integer(in: 1...3), servers: dice.integer(in: 1...3))
  }

  var slots: [Slot] {
    [.coordinator] + (0..<servers).map { .server($0) } + (0..<workers).map { .worker($0) }
  }
}

extension ClusterShape: CustomStringConvertible {
  package var description: String {
    "\(workers) worker\(workers == 1 ? "" : "s"), \(servers) server\(servers == 1 ? "" : "s")"
  }
}

/// A place in the cluster, which a process and later its replacements fill.
package enum Slot: Hashable, Sendable, CustomStringConvertible {
  case coordinator
  case server(Int)
  case worker(Int)

  package var description: String {
    switch self {
    case .coordinator: "coordinator"
    case .server(let number): "server-\(number)"
    case .worker(let number): "worker-\(number)"
    }
  }
}

/// One process: the n-th in its slot.
package struct ProcessName: Hashable, Sendable, CustomStringConvertible {
  package let slot: Slot
  package let life: Int

  package var description: String { "\(slot)/\(life)" }
}
