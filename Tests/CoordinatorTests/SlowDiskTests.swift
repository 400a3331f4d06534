import Coordinator
import ParameterServer
import Protocol
import Testing

/// Servers whose disks have different speeds, and which of their files become checkpoints.
@Suite struct SlowDiskTests {
  /// A server's disk, and what it has written of versions that are no checkpoint.
  private struct Server {
    let node: NodeID
    let rank: UInt32
    /// For one version.
    let seconds: Double
    var schedule = CheckpointSchedule()
    var writing: UInt64?
    var doneAt = 0.0
    var files: Set<UInt64> = []
  }

  /// The checkpoints of a run in which every second a version is trained and due.
  private struct History {
    /// Versions, and the seconds at which they were.
    var commits: [(version: UInt64, second: Double)] = []
    /// How many files of no checkpoint a server had at a time.
    var mostFiles = 0
    var warningCount = 0
  }

  private func history(_ disks: [Double], seconds: Int) throws -> History {
    var cluster = try ScriptedCluster(
      ScriptedCluster.plan(
        servers: UInt32(disks.count), epochs: 1000,
        checkpoints: CheckpointPlan(folder: "c", interval: 1)))
    cluster.form()
    var servers = disks.enumerated().map { rank, seconds in
      Server(
        node: ScriptedCluster.firstServer + NodeID(rank), rank: UInt32(rank), seconds: seconds)
    }
    for index in servers.indices { servers[index].schedule.plan = cluster.state.plan.checkpoints }
    var history = History()
    for quarter in 4...seconds * 4 {
      cluster.now = Double(quarter) / 4
      for index in servers.indices where servers[index].doneAt <= cluster.now {
        guard let version = servers[index].writing else { continue }
        let server = servers[index]
        servers[index].writing = nil
        servers[index].files.insert(version)
        if case .checkpointWritten(let shard) = cluster.shard(version, rank: server.rank) {
          servers[index].schedule.written(shard)
        }
        let actions = cluster.receive(cluster.shard(version, rank: server.rank), from: server.node)
        guard let commit = actions.commits.first else { continue }
        cluster.handle(.checkpointCommitted(commit.committed))
        history.commits.append((commit.version, cluster.now))
        // What is older is deleted with a commit.
        for other in servers.indices {
          servers[other].files = servers[other].files.filter { $0 > commit.version }
        }
      }
      if quarter % 4 == 0 {
        let version = UInt64(quarter / 4)
        cluster.serversReach(version)
        for index in servers.indices where servers[index].schedule.reached(version) {
          servers[index].writing = version
          servers[index].doneAt = cluster.now + servers[index].seconds
        }
        for node in cluster.workerIDs { cluster.receive(ScriptedCluster.heartbeat(), from: node) }
      }
      let actions = cluster.handle(.tick)
      for shard in actions.discarded {
        servers[Int(shard.rank)].files.remove(shard.version)
      }
      for case .checkpointOverdue in actions.reports { history.warningCount += 1 }
      history.mostFiles = max(history.mostFiles, servers.map(\.files.count).max() ?? 0)
    }
    return history
  }

  @Test(
    "checkpoints come as often as the slowest disk can write them, to a power of two",
    arguments: [
      [0.25, 0.25], [0.25, 1.5], [0.25, 3.25], [0.25, 5.25], [0.25, 10.5], [0.25, 37.75],
      [2.5, 37.75], [6.25, 5.75, 12.25], [0.25, 1.25, 70.5], [20.5, 21.5, 22.5],
    ])
  func comeTogether(disks: [Double]) throws {
    let history = try history(disks, seconds: 1200)
    let slowest = try #require(disks.max())
    let stride = try #require((0...).lazy.map { Double(1 << $0) }.first { $0 >= slowest })
    // By then it is known how slow they are.
    let late = history.commits.filter { $0.second > 600 }
    #expect(Double(late.count) >= 600 / stride - 2, "\(late.count) with \(stride) s each")
    for (earlier, later) in zip(late, late.dropFirst()) {
      #expect(later.second - earlier.second <= stride + slowest, "\(earlier), \(later)")
    }
    // Files that are collected, the last one of each server, and those of one commit.
    #expect(history.mostFiles <= 6)
  }

  @Test("a full disk is reported, and the other servers' files do not pile up")
  func stalls() throws {
    let history = try history([0.25, .infinity], seconds: 300)
    #expect(history.commits.isEmpty)
    #expect(history.mostFiles <= 6)
    #expect((1...8).contains(history.warningCount), "\(history.warningCount) warnings")
  }
}
