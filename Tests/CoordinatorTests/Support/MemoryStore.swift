import Coordinator

/// What a run store would hold, in memory.
struct MemoryStore {
  private(set) var run: StoredRun

  init(begunWith standing: RunProgress) {
    run = StoredRun(
      identity: RunIdentity(
        id: "run-1", created: "2026-01-02T03:04:05Z", configuration: "", digests: [:]),
      standing: standing, message: "", epochs: [], evaluations: [])
  }

  mutating func record(_ actions: [CoordinatorAction]) {
    for record in actions.records { self.record(record) }
  }

  private mutating func record(_ record: RunRecord) {
    run.standing = record.standing
    run.message = ""
    switch record.change {
    case .epochFinished(let summary):
      run.epochs.removeAll { $0.epoch == summary.epoch }
      run.epochs.append(summary)
    case .evaluated(let summary):
      run.evaluations.removeAll { $0.epoch == summary.epoch }
      run.evaluations.append(summary)
    case .checkpointCommitted(let checkpoint): run.checkpoints.append(checkpoint)
    case .ended(let message): run.message = message
    case .clusterFormed, .generationRaised, .bestSaved: break
    }
  }
}
