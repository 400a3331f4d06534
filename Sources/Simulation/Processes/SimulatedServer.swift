import Nodes
import ParameterServer
import Protocol
import Tables

/// A server whose checkpoints lie on the simulated disk. Every version of its tables is compared
/// with that of the undisturbed run.
package final class SimulatedServer: SimulatedMember, ServerEnvironment {
  private(set) lazy var node = ServerNode(
    hello: hello, coordinator: .toCoordinator(of: name), in: self)
  /// The last version that was audited, with its generation.
  private var audited: (generation: UInt64, version: UInt64)?

  /// Where the servers of a generation answer, by rank.
  private var servers: (generation: UInt64, endpoints: [String]) = (0, [])

  override func checkInvariants() -> [String] { state?.brokenInvariants ?? [] }

  var state: ServerState<ConnectionName>? { node.session.state }

  /// The generation and version of the tables; nil until they are prepared.
  var position: (generation: UInt64, version: UInt64)? {
    state.map { ($0.generation, $0.version) }
  }

  /// The key under which the ledger counts what this server accepts.
  var tables: ServiceLedger.Tables? {
    position.map { ServiceLedger.Tables(server: name, generation: $0.generation) }
  }

  override func handle(_ input: Input) {
    switch input {
    case .message(let message, let connection): node.received(message, from: connection)
    case .start, .tick: node.handle(.tick)
    case .stop: node.handle(.stopRequested)
    case .job: break
    }
  }

  /// The connections of a worker are lost.
  func forget(_ connections: Set<ConnectionName>) {
    for connection in connections { node.handle(.peerGone(connection)) }
  }

  override func finishEvent() {
    // Contributions are counted from replies, and a server that was killed has not sent them all.
    if cluster.processes[name] != nil { audit() }
  }

  // MARK: Environment

  package func send(_ reply: DataReply, to peer: ConnectionName) -> Bool {
    guard mayAct() else { return true }
    cluster.noteReply(reply, on: peer, by: self)
    cluster.send(.reply(reply), on: peer, from: name)
    return true
  }

  package func prepare(_ welcome: Welcome) {
    cluster.pass(.preparation)
    later(cluster.jobSeconds(slow: 3)) { [self] in node.handle(prepared(welcome)) }
  }

  private func prepared(_ welcome: Welcome) -> ServerSessionEvent<ConnectionName> {
    func failed(_ message: String, isTransient: Bool) -> ServerSessionEvent<ConnectionName> {
      .preparationFailed(generation: welcome.generation, message, isTransient: isTransient)
    }
    do {
      var snapshots: [ServerSnapshot]?
      if let restored = welcome.restored {
        guard !cluster.isDiskUnreadable else {
          cluster.count(.unreadableDisk)
          return failed("stale file handle", isTransient: true)
        }
        if let problem = fetch(restored, welcome) { return failed(problem, isTransient: true) }
        snapshots = cluster.disk.snapshots(of: restored.manifest)
        guard snapshots != nil else {
          return failed("the checkpoint is gone", isTransient: true)
        }
      }
      return .prepared(try cluster.problem.state(welcome, restoring: snapshots))
    } catch {
      return failed("\(error)", isTransient: false)
    }
  }

  package func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {
    if cluster.mutation == .incompleteCheckpoints {
      later(0) { [self] in node.handle(.checkpointWritten(cluster.disk.shard(snapshot))) }
    }
    later(cluster.jobSeconds(slow: 6)) { [self] in
      let result = written(snapshot)
      guard case .checkpointWritten(let shard) = result, cluster.faults.copies > 1 else {
        return node.handle(result)
      }
      if cluster.mutation == .reportBeforeCopy { node.handle(result) }
      later(cluster.jobSeconds(slow: 3)) { [self] in copy(shard, of: welcome) }
    }
  }

  private func written(_ snapshot: ServerSnapshot) -> ServerSessionEvent<ConnectionName> {
    guard !cluster.isDiskFull else {
      cluster.count(.fullDisk)
      return .checkpointFailed(
        generation: snapshot.generation, version: snapshot.version, "the disk is full")
    }
    cluster.note(.wrote("its rows of version \(snapshot.version)", by: name))
    cluster.disk.write(snapshot, of: name.slot)
    return .checkpointWritten(cluster.disk.shard(snapshot))
  }

  // MARK: Copies

  package func learnServers(_ endpoints: [String], of generation: UInt64) {
    servers = (generation, endpoints)
  }

  /// The living server of a rank.
  private func server(_ rank: Int) -> ProcessName? {
    guard servers.endpoints.indices.contains(rank) else { return nil }
    return cluster.processes.name(at: servers.endpoints[rank]).flatMap { name in
      cluster.processes[name].map { _ in name }
    }
  }

  /// A file has been sent to the server of the next rank: report it, as the last step.
  private func copy(_ shard: CheckpointShard, of welcome: Welcome) {
    guard servers.generation == welcome.generation,
      let target = server(Int((welcome.rank + 1) % welcome.serverCount))
    else {
      return node.handle(
        .checkpointFailed(
          generation: shard.generation, version: shard.version, "no server takes the copy"))
    }
    // Some are damaged on their way. The receiver notices, and they are sent again.
    let isDamaged = cluster.isDisturbed && cluster.dice.happens(0.2)
    if isDamaged, cluster.mutation != .skipDigest {
      return later(cluster.jobSeconds(slow: 3)) { [self] in copy(shard, of: welcome) }
    }
    if !isDamaged { cluster.disk.copy(shard.file, to: target.slot) }
    if cluster.mutation != .reportBeforeCopy { node.handle(.checkpointWritten(shard)) }
  }

  /// Brings the server's file of a checkpoint to its own disk.
  ///
  /// - Returns: why that is impossible for now; nil if the file is there.
  private func fetch(_ restored: RestoredCheckpoint, _ welcome: Welcome) -> String? {
    guard cluster.faults.copies > 1,
      let (file, slots) = cluster.disk.holders(ofRank: welcome.rank, in: restored.manifest),
      !slots.contains(name.slot)
    else { return nil }
    guard slots.contains(where: { cluster.processes[$0] != nil }) else {
      return "no living server has '\(file)'"
    }
    cluster.count(.fetchedFile)
    cluster.disk.copy(file, to: name.slot)
    return nil
  }

  package func inspect(_ question: DiskQuestion, _ report: DiskReport) {
    later(cluster.jobSeconds(slow: 2)) { [self] in
      var report = report
      report.rows = cluster.disk.rows(on: name.slot)
      node.handle(.inspected(report))
    }
  }

  package func end(_ departure: Departure) { if mayAct() { cluster.left(name, departure) } }

  // MARK: Audit

  /// Checks every new version: it is made of all shards of the one before, and has the rows of the
  /// undisturbed run.
  private func audit() {
    guard let state else { return }
    let (generation, version) = (state.generation, state.version)
    if let audited, audited.generation == generation {
      if version < audited.version {
        cluster.report("\(name) rolled back from version \(audited.version) to \(version)")
      }
      guard version > audited.version else { return }
      for past in audited.version..<version { checkShards(of: past) }
    }
    audited = (generation, version)
    cluster.note(.reached(version: version, generation: generation, by: name))
    if cluster.isReference {
      return cluster.reference.learn(state, auditor: .ofAuditor(at: name))
    }
    // With stale rows there is more than one right answer.
    guard cluster.problem.consistency.isExact else { return }
    for problem in cluster.reference.differences(of: state, auditor: .ofAuditor(at: name)) {
      cluster.report("\(name): \(problem)")
    }
  }

  private func checkShards(of version: UInt64) {
    guard let tables else { return }
    let count = cluster.services.shardCount(ofVersion: version, in: tables)
    if count != SimulationProblem.shardCount {
      cluster.report("\(name) finished version \(version) with \(count) shards")
    }
  }
}
