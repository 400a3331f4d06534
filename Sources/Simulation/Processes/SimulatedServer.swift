import Enrollment
import Messages
import ParameterServer
import Tables

/// The shell of a ``ServerSession``.
final class SimulatedServer: SimulatedProcess {
  let name: ProcessName
  private var session: ServerSession<ConnectionName>
  /// The version that the auditor has looked at, by generation.
  private var audited: (generation: UInt64, version: UInt64)?

  init(_ name: ProcessName, incarnation: UInt64, at now: Double) {
    self.name = name
    session = ServerSession(
      hello: NodeHello(
        role: .server, incarnation: incarnation, runID: "", dataEndpoint: "\(name)",
        host: "simulated", processID: UInt32(name.life), name: "\(name.slot)"),
      at: now)
  }

  var brokenInvariants: [String] { session.state?.brokenInvariants ?? [] }

  /// Of the tables, if they are prepared.
  var standing: (generation: UInt64, version: UInt64)? {
    session.state.map { ($0.generation, $0.version) }
  }

  var state: ServerState<ConnectionName>? { session.state }

  /// What it has taken so far is counted under.
  var tables: ServiceLedger.Tables? {
    standing.map { ServiceLedger.Tables(server: name, generation: $0.generation) }
  }

  func started(in cluster: SimulatedCluster) { ticked(in: cluster) }

  func received(_ parcel: Parcel, from sender: ProcessName, in cluster: SimulatedCluster) {
    switch parcel {
    case .fromCoordinator(let letter): handle(.coordinator(letter), in: cluster)
    case .request(let request, let connection):
      handle(.request(request, from: connection), in: cluster)
    case .fromNode, .reply: break
    }
  }

  func ticked(in cluster: SimulatedCluster) { handle(.tick, in: cluster) }

  func askedToStop(in cluster: SimulatedCluster) { handle(.stopRequested, in: cluster) }

  private func handle(_ event: ServerSessionEvent<ConnectionName>, in cluster: SimulatedCluster) {
    let actions = session.handle(event, at: cluster.now)
    // Before the audit: the contribution that is just taken can be what a version lacked.
    for case .reply(let reply, let connection) in actions {
      cluster.noteReply(reply, on: connection, by: self)
    }
    audit(in: cluster)
    cluster.perform(actions, of: name) { [self] in perform($0, in: cluster) }
  }

  private func perform(
    _ action: ServerSessionAction<ConnectionName>, in cluster: SimulatedCluster
  ) {
    switch action {
    case .tell(let message): cluster.send(.fromNode(message), from: name, to: .coordinator)
    case .beat(let generation, let version):
      let heartbeat = Heartbeat(
        residentBytes: 0, peakResidentBytes: 0, cpuSeconds: 0, taskProgress: 0,
        generation: generation, version: version)
      cluster.send(.fromNode(.heartbeat(heartbeat)), from: name, to: .coordinator)
    case .reply(let reply, let connection):
      cluster.send(.reply(reply, connection: connection), from: name, to: connection.owner)
    case .prepare(let welcome):
      cluster.pass(.preparation)
      cluster.later(cluster.jobSeconds(slow: 3), name) { [self] in
        prepare(welcome, in: cluster)
      }
    case .writeCheckpoint(let snapshot):
      cluster.later(cluster.jobSeconds(slow: 6), name) { [self] in write(snapshot, in: cluster) }
      if cluster.sabotage == .incompleteCheckpoints {
        handle(.checkpointWritten(cluster.disk.shard(snapshot)), in: cluster)
      }
    case .warn: break
    case .leave(let departure): cluster.left(name, departure)
    }
  }

  private func prepare(_ welcome: Welcome, in cluster: SimulatedCluster) {
    do {
      var snapshots: [ServerSnapshot]?
      if let restored = welcome.restored {
        guard !cluster.isDiskUnreadable else {
          cluster.count(.unreadableDisk)
          return handle(
            .preparationFailed(
              generation: welcome.generation, "stale file handle", isTransient: true),
            in: cluster)
        }
        snapshots = cluster.disk.snapshots(of: restored.manifest)
        guard snapshots != nil else {
          return handle(
            .preparationFailed(
              generation: welcome.generation, "the checkpoint is gone", isTransient: true),
            in: cluster)
        }
      }
      handle(.prepared(try cluster.problem.state(welcome, restoring: snapshots)), in: cluster)
    } catch {
      handle(
        .preparationFailed(generation: welcome.generation, "\(error)", isTransient: false),
        in: cluster)
    }
  }

  private func write(_ snapshot: ServerSnapshot, in cluster: SimulatedCluster) {
    guard !cluster.isDiskFull else {
      cluster.count(.fullDisk)
      return handle(
        .checkpointFailed(
          generation: snapshot.generation, version: snapshot.version, "the disk is full"),
        in: cluster)
    }
    cluster.disk.write(snapshot)
    handle(.checkpointWritten(cluster.disk.shard(snapshot)), in: cluster)
  }

  /// Looks at every new version: it has all shards of the one before, and the rows of the
  /// undisturbed run.
  private func audit(in cluster: SimulatedCluster) {
    guard let state = session.state else { return }
    let (generation, version) = (state.generation, state.version)
    if let audited, audited.generation == generation {
      if version < audited.version {
        cluster.report("\(name) went back from version \(audited.version) to \(version)")
      }
      guard version > audited.version else { return }
      for past in audited.version..<version { checkShards(of: past, in: cluster) }
    }
    audited = (generation, version)
    let auditor = ConnectionName(owner: name, number: -1, server: -1)
    if cluster.isReference { return cluster.reference.learn(state, auditor: auditor) }
    // Where rows may be stale there is more than one right answer.
    guard cluster.problem.consistency.isExact else { return }
    for problem in cluster.reference.differences(of: state, auditor: auditor) {
      cluster.report("\(name): \(problem)")
    }
  }

  private func checkShards(of version: UInt64, in cluster: SimulatedCluster) {
    guard let tables else { return }
    let count = cluster.services.shardCount(ofVersion: version, in: tables)
    if count != SimulationProblem.shardCount {
      cluster.report("\(name) went beyond version \(version) with \(count) shards")
    }
  }
}
