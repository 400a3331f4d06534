import Coordination
import Enrollment
import Messages
import Training

/// The shell of a ``CoordinatorState``, with the reading of the best model.
final class SimulatedCoordinator: SimulatedProcess {
  let name: ProcessName
  private let term: UInt64
  private var state: CoordinatorState
  private var saving: SimulatedSaving?
  /// The saving whose files are being completed.
  private var finishing: SimulatedSaving?
  /// When the models whose files are to be completed are on the disk, one after the other.
  private var modelsDoneAt = 0.0
  /// Files that were to be deleted.
  private var discarded: Set<String> = []
  private var nextConnection = 0
  /// Processes by the incarnation of their hello.
  private var peers: [NodeID: ProcessName] = [:]
  private var known: [ProcessName: NodeID] = [:]

  init(_ name: ProcessName, in cluster: SimulatedCluster) throws {
    self.name = name
    if cluster.disk.run != nil {
      term = cluster.disk.raiseTerm()
      let point = cluster.disk.run.map { ResumePoint($0) }
      state = try CoordinatorState(
        plan: cluster.problem.plan(cluster.shape, term: term), resuming: point)
    } else {
      term = 1
      state = try CoordinatorState(plan: cluster.problem.plan(cluster.shape, term: term))
      cluster.disk.begin(state.standing)
    }
  }

  var brokenInvariants: [String] { state.brokenInvariants() }

  func started(in cluster: SimulatedCluster) { ticked(in: cluster) }

  func received(_ parcel: Parcel, from sender: ProcessName, in cluster: SimulatedCluster) {
    switch parcel {
    case .fromNode(let message):
      if case .hello(let hello) = message {
        peers[hello.incarnation] = sender
        known[sender] = hello.incarnation
      }
      guard let node = known[sender] else {
        let refusal = Refusal(code: .helloNeeded, message: "say hello")
        return send(.refused(refusal), to: sender, in: cluster)
      }
      handle(.message(message, from: node), in: cluster)
    case .reply(let reply, let connection):
      guard let saving, let server = saving.connections.firstIndex(of: connection) else { return }
      if case .pulled = reply.body { handle(.bestSaveMoved, in: cluster) }
      conclude(saving.handle(reply, from: server, in: cluster), in: cluster)
    case .fromCoordinator, .request: break
    }
  }

  func ticked(in cluster: SimulatedCluster) {
    handle(.tick, in: cluster)
    if let saving { conclude(saving.tick(in: cluster), in: cluster) }
  }

  func askedToStop(in cluster: SimulatedCluster) {
    handle(.stopRequested(reason: "a request to stop"), in: cluster)
  }

  private func handle(_ event: CoordinatorEvent, in cluster: SimulatedCluster) {
    let actions = state.handle(event, at: cluster.now)
    cluster.perform(actions, of: name) { [self] in perform($0, in: cluster) }
  }

  private func perform(_ action: CoordinatorAction, in cluster: SimulatedCluster) {
    switch action {
    case .send(let message, let node):
      if case .hold = message { cluster.pass(.stop) }
      if let peer = peers[node] { send(message, to: peer, in: cluster) }
    case .record(let record):
      switch record.change {
      case .epochFinished: cluster.pass(.epochEnd)
      case .evaluated: cluster.pass(.evaluation)
      case .generationRaised: cluster.pass(.recovery)
      case .clusterFormed, .bestSaved, .checkpointCommitted, .ended: break
      }
      let isInCharge = cluster.disk.isInCharge(record.standing.term)
      let isHeeded = cluster.disk.record(record, obeysTerms: cluster.sabotage != .noTerms)
      if isHeeded, !isInCharge {
        cluster.report("\(name) has recorded something after another had taken over")
      }
      if isHeeded, case .evaluated(let summary) = record.change {
        cluster.noteEvaluated(summary.epoch, generation: record.standing.generation)
      }
      // Another coordinator has taken over: this one has nothing to say any more.
      if !isHeeded { supersede(in: cluster) }
    case .report(let event): report(event, in: cluster)
    case .saveBest(let epoch, let version, let generation, let endpoints):
      cluster.pass(.saving)
      let connections = endpoints.indices.map { server in
        nextConnection += 1
        return ConnectionName(owner: name, number: nextConnection, server: server)
      }
      let saving = SimulatedSaving(
        owner: name, epoch: epoch, version: version, generation: generation,
        endpoints: endpoints, connections: connections, problem: cluster.problem)
      self.saving = saving
      finishing = nil
      conclude(saving.begin(in: cluster), in: cluster)
    case .cancelSave:
      saving = nil
      finishing = nil
    case .findCheckpoint:
      cluster.later(cluster.jobSeconds(slow: 2), name) { [self] in
        handle(search(in: cluster), in: cluster)
      }
    case .commitCheckpoint(let commit):
      cluster.pass(.commit)
      cluster.later(cluster.jobSeconds(slow: 2), name) { [self] in
        self.commit(commit, in: cluster)
      }
    case .discardCheckpointFiles(let shards):
      discarded.formUnion(shards.map(\.file))
      cluster.later(cluster.jobSeconds(slow: 2), name) { cluster.disk.discard(shards) }
    case .finish(let outcome): cluster.ended(outcome, by: name)
    }
  }

  /// Looks for the newest checkpoint.
  private func search(in cluster: SimulatedCluster) -> CoordinatorEvent {
    guard !cluster.isDiskUnreadable else {
      cluster.count(.unreadableDisk)
      return .checkpointSearchFailed("stale file handle")
    }
    guard cluster.disk.hasCheckpoints else { return .noCheckpoint }
    if cluster.disk.isNewestDamaged { cluster.count(.passedOver) }
    return .checkpointFound(cluster.disk.latestUsable)
  }

  private func supersede(in cluster: SimulatedCluster) {
    cluster.count(.superseded)
    cluster.left(name, .transient("another coordinator has taken over"))
  }

  private func report(_ event: RunEvent, in cluster: SimulatedCluster) {
    cluster.note("\(name) reports \(event)")
    if case .recovering(_, let version) = event, let newest = cluster.disk.latestUsable?.version,
      version != newest
    {
      cluster.report("\(name) goes back to version \(version), and there is one of \(newest)")
    }
    guard case .resumed(_, _, let origin) = event else { return }
    switch origin {
    case .initialValues: cluster.count(.begunAnew)
    case .checkpoint: cluster.count(.restored)
    case .adoption: cluster.count(.adopted)
    }
  }

  private func commit(_ commit: CheckpointCommit, in cluster: SimulatedCluster) {
    if commit.shards.contains(where: { discarded.contains($0.file) }) {
      cluster.report("version \(commit.version) is to be a checkpoint, and its files were deleted")
    }
    let isComplete = cluster.disk.isComplete(commit)
    if cluster.isDiskFull { cluster.count(.fullDisk) }
    guard !cluster.isDiskFull, isComplete || cluster.sabotage == .incompleteCheckpoints else {
      return handle(
        .checkpointCommitFailed(
          version: commit.version,
          message: cluster.isDiskFull ? "the disk is full" : "there are rows missing"),
        in: cluster)
    }
    if !isComplete {
      cluster.report("a checkpoint of version \(commit.version) lacks rows of a server")
    }
    handle(.checkpointCommitted(cluster.disk.commit(commit)), in: cluster)
  }

  private func send(
    _ message: CoordinatorMessage, to process: ProcessName, in cluster: SimulatedCluster
  ) {
    let letter = CoordinatorLetter(term: term, message: message)
    cluster.send(.fromCoordinator(cluster.sabotaged(letter)), from: name, to: process)
  }

  private func conclude(
    _ conclusion: SimulatedSaving.Conclusion?, in cluster: SimulatedCluster
  ) {
    switch conclusion {
    case .read(let model):
      finishing = saving
      let finished = saving
      saving = nil
      modelsDoneAt = max(modelsDoneAt, cluster.now) + cluster.jobSeconds(slow: 6)
      cluster.later(modelsDoneAt - cluster.now, name) { [self] in
        // What was dropped meanwhile is written all the same, and nothing is heard of it.
        cluster.disk.best = model
        guard finishing === finished else { return }
        finishing = nil
        cluster.checkMeasured(model)
        handle(.bestSaved, in: cluster)
      }
    case .failed(let message):
      saving = nil
      handle(.bestSaveFailed(message, isTransient: true), in: cluster)
    case nil: break
    }
  }
}
