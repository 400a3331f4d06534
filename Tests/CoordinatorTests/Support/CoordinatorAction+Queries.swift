import Coordinator
import Protocol

extension TaskBody {
  var units: [UInt32] {
    switch self {
    case .train(_, _, _, let units), .materialize(_, _, let units), .rank(_, _, let units): units
    }
  }

  var epoch: UInt32 {
    switch self {
    case .train(let epoch, _, _, _), .materialize(_, let epoch, _), .rank(_, let epoch, _): epoch
    }
  }
}

extension CoordinatorAction {
  var isSend: Bool {
    if case .send = self { true } else { false }
  }

  var isSaveBest: Bool {
    if case .saveBest = self { true } else { false }
  }
}

extension CheckpointCommit {
  /// What is reported when the manifest is on the disk.
  var committed: CommittedCheckpoint {
    CommittedCheckpoint(
      version: version, generation: generation, epoch: epoch,
      manifest: "v\(version)-g\(generation)/manifest.json", created: "2026-01-02T03:04:05Z")
  }
}

extension CommittedCheckpoint {
  var restored: RestoredCheckpoint { RestoredCheckpoint(manifest: manifest, version: version) }
}

extension [CoordinatorAction] {
  var commits: [CheckpointCommit] {
    compactMap { if case .commitCheckpoint(let commit) = $0 { commit } else { nil } }
  }

  var discarded: [CheckpointShard] {
    flatMap { (action) -> [CheckpointShard] in
      if case .discardCheckpointFiles(let shards) = action { shards } else { [] }
    }
  }

  func sent(to node: NodeID) -> [CoordinatorMessage] {
    sent.filter { $0.node == node }.map(\.message)
  }

  var tasks: [(node: NodeID, task: WorkerTask)] {
    compactMap {
      if case .send(.task(let task), let node) = $0 { (node, task) } else { nil }
    }
  }

  var sent: [(node: NodeID, message: CoordinatorMessage)] {
    compactMap { if case .send(let message, let node) = $0 { (node, message) } else { nil } }
  }

  /// Without notices that the run waits.
  var besidesWaiting: [CoordinatorAction] {
    filter { if case .report(.waiting) = $0 { false } else { true } }
  }

  var reports: [RunEvent] {
    compactMap { if case .report(let event) = $0 { event } else { nil } }
  }

  var records: [RunRecord] {
    compactMap { if case .record(let record) = $0 { record } else { nil } }
  }

  var outcome: RunOutcome? {
    if case .finish(let outcome)? = last { outcome } else { nil }
  }

  var failure: RunFailure? {
    if case .failed(let failure)? = outcome?.ending { failure } else { nil }
  }

  var refusal: Refusal? {
    sent.compactMap { if case .refused(let refusal) = $0.message { refusal } else { nil } }.first
  }

  var welcome: Welcome? {
    sent.compactMap { if case .welcome(let welcome) = $0.message { welcome } else { nil } }.first
  }
}
