import Coordinator
import Protocol
import Testing

/// Which checkpoint a run resumes from when every server has a disk of its own.
@Suite struct HolderSearchTests {
  private static func checkpoint(_ version: UInt64) -> ListedCheckpoint {
    ListedCheckpoint(
      restored: RestoredCheckpoint(
        manifest: "v\(version)-g1/manifest.json", version: version, content: "text"),
      name: .init(generation: 1, version: version),
      rows: (0..<2).map {
        HeldRows(generation: 1, version: version, rank: $0, digest: "\(version)/\($0)")
      })
  }

  private static let checkpoints = [checkpoint(6), checkpoint(4)]

  /// A run that lost a server after two checkpoints; the new server has joined.
  private func cluster() throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(
      ScriptedCluster.plan(
        checkpoints: CheckpointPlan(folder: "/disk/run-1", interval: 2, copies: 2)))
    _ = cluster.form()
    cluster.handle(.nodeGone(101))
    cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    return cluster
  }

  private func questions(_ actions: [CoordinatorAction]) -> [NodeID: DiskQuestion] {
    var found: [NodeID: DiskQuestion] = [:]
    for case .send(.inspect(let question), let node) in actions { found[node] = question }
    return found
  }

  private func restored(_ actions: [CoordinatorAction]) -> Set<UInt64> {
    var found: Set<UInt64> = []
    for case .send(.welcome(let welcome), _) in actions {
      if let version = welcome.restored?.version { found.insert(version) }
    }
    return found
  }

  private func answer(
    _ cluster: inout ScriptedCluster, _ node: NodeID, _ rows: [HeldRows]
  ) -> [CoordinatorAction] {
    cluster.receive(.inspected(DiskReport(dataEndpoint: "", rows: rows)), from: node)
  }

  @Test("all servers are asked, and the newest checkpoint is taken as soon as it is whole")
  func newest() throws {
    var cluster = try cluster()
    let asked = questions(cluster.handle(.checkpointsListed(Self.checkpoints)))
    let question = DiskQuestion(
      folder: "/disk", runID: "run-1",
      checkpoints: [.init(generation: 1, version: 6), .init(generation: 1, version: 4)])
    #expect(asked == [100: question, 102: question])
    // A server's answer was lost: the question is repeated, to that server only.
    #expect(answer(&cluster, 100, Self.checkpoints[0].rows).isEmpty)
    #expect(
      questions(cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)) == [102: question])
    #expect(
      questions(cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)) == [:])
    // The new server's disk is empty.
    #expect(restored(answer(&cluster, 102, [])) == [6])
  }

  @Test("an older checkpoint is taken after a while, with a sentence, when a file is nowhere")
  func older() throws {
    var cluster = try cluster()
    cluster.handle(.checkpointsListed(Self.checkpoints))
    _ = answer(&cluster, 100, [Self.checkpoints[0].rows[0]] + Self.checkpoints[1].rows)
    #expect(restored(answer(&cluster, 102, [])) == [])
    for _ in 0..<3 {
      cluster.now += 5
      cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)
      cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
      #expect(restored(cluster.handle(.tick)) == [], "at \(cluster.now)")
    }
    cluster.now += 5
    cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)
    cluster.receive(ScriptedCluster.hello(.server, 102), from: 102)
    let actions = cluster.handle(.tick)
    #expect(restored(actions) == [4])
    let sentence =
      "no server has an undamaged file with the rows of server 1 of the newest checkpoint "
      + "'v6-g1/manifest.json'; the run resumes from the older 'v4-g1/manifest.json' and trains "
      + "again what came after it."
    #expect(actions.contains(.report(.olderCheckpoint(message: sentence))))
  }

  @Test("a server that has the file and comes in time makes the newest checkpoint whole")
  func comesInTime() throws {
    var cluster = try cluster()
    cluster.handle(.checkpointsListed(Self.checkpoints))
    _ = answer(&cluster, 100, [Self.checkpoints[0].rows[0]] + Self.checkpoints[1].rows)
    _ = answer(&cluster, 102, [])
    // Another process takes the place of the server with the empty disk.
    cluster.handle(.nodeGone(102))
    let asked = questions(cluster.receive(ScriptedCluster.hello(.server, 103), from: 103))
    #expect(Set(asked.keys) == [103])
    #expect(restored(answer(&cluster, 103, [Self.checkpoints[0].rows[1]])) == [6])
  }

  @Test("no checkpoint is whole: the run ends in the end, and says what is missing")
  func nowhere() throws {
    var cluster = try cluster()
    cluster.handle(.checkpointsListed(Self.checkpoints))
    _ = answer(&cluster, 100, [Self.checkpoints[0].rows[0]])
    _ = answer(&cluster, 102, [])
    var failure: RunFailure?
    for _ in 0..<20 where failure == nil {
      cluster.now += 5
      for node in [100, 102] as [NodeID] {
        cluster.receive(ScriptedCluster.hello(.server, node), from: node)
      }
      for worker in [200, 201] as [NodeID] {
        cluster.receive(ScriptedCluster.hello(.worker, worker), from: worker)
      }
      for case .finish(let outcome) in cluster.handle(.tick) {
        if case .failed(let found) = outcome.ending { failure = found }
      }
    }
    #expect(failure?.kind == .checkpointsUnreadable)
    #expect(
      failure?.message.contains(
        "no server has an undamaged file with the rows of server 1 of the newest checkpoint "
          + "'v6-g1/manifest.json', nor all files of an older one") == true, "\(failure as Any)")
  }
}
