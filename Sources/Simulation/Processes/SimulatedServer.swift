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
    later(cluster.jobSeconds(slow: 6)) { [self] in node.handle(written(snapshot)) }
  }

  private func written(_ snapshot: ServerSnapshot) -> ServerSessionEvent<ConnectionName> {
    guard !cluster.isDiskFull else {
      cluster.count(.fullDisk)
      return .checkpointFailed(
        generation: snapshot.generation, version: snapshot.version, "the disk is full")
    }
    cluster.note(.wrote("its rows of version \(snapshot.version)", by: name))
    cluster.disk.write(snapshot)
    return .checkpointWritten(cluster.disk.shard(snapshot))
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
