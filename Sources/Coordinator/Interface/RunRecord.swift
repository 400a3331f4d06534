/// One transition of a run, as the run store writes it: what happened, and how far the run is
/// after it. Both are written in one transaction.
package struct RunRecord: Sendable, Equatable {
  package enum Change: Sendable, Equatable {
    case clusterFormed
    /// A rollback. Messages that depend on the new generation are sent after this is durable.
    case generationRaised
    case epochFinished(EpochSummary)
    case evaluated(EvaluationSummary)
    case bestSaved
    case checkpointCommitted(CommittedCheckpoint)
    case ended(message: String)
  }

  package var change: Change
  package var progress: RunProgress

  package init(change: Change, progress: RunProgress) {
    self.change = change
    self.progress = progress
  }
}

/// How far a run is: what a coordinator needs to resume it.
package struct RunProgress: Sendable, Equatable {
  package var status: RunStatus
  package var generation: UInt64
  package var epochsFinished: UInt32
  /// The version of the tables after the finished epochs.
  package var version: UInt64
  /// The best evaluation so far.
  package var best: ModelSelection.Best?
  /// Whether the files of the best model are completely written.
  package var isBestSaved: Bool
  package var nonImprovingCount: UInt32
  /// Of the coordinator that recorded this; 0 in what older programs recorded.
  package var term: UInt64
  /// On how many servers the tables of the generation lie; 0 in what older programs recorded.
  package var serverCount: UInt32

  package init(
    status: RunStatus, generation: UInt64, epochsFinished: UInt32, version: UInt64,
    best: ModelSelection.Best?, isBestSaved: Bool, nonImprovingCount: UInt32,
    term: UInt64 = 1, serverCount: UInt32 = 0
  ) {
    self.status = status
    self.generation = generation
    self.epochsFinished = epochsFinished
    self.version = version
    self.best = best
    self.isBestSaved = isBestSaved
    self.nonImprovingCount = nonImprovingCount
    self.term = term
    self.serverCount = serverCount
  }
}

package enum RunStatus: String, Sendable, Equatable, Codable {
  case forming
  case running
  case completed
  case earlyStopped
  case interrupted
  case failed
}

/// Everything that a run store holds of its run.
package struct StoredRun: Sendable, Equatable {
  package var identity: RunIdentity
  package var progress: RunProgress
  /// How the run ended, in one sentence; empty while it runs.
  package var message: String
  /// In the order of the epochs.
  package var epochs: [EpochSummary]
  /// In the order of the epochs.
  package var evaluations: [EvaluationSummary]
  /// All that were ever committed, by version and generation. Whether they are still there and
  /// intact can only be seen from their files.
  package var checkpoints: [CommittedCheckpoint]
  /// In the order of their epochs; none in what older programs recorded.
  package var deliveries: [DataDelivery]

  package init(
    identity: RunIdentity, progress: RunProgress, message: String, epochs: [EpochSummary],
    evaluations: [EvaluationSummary], checkpoints: [CommittedCheckpoint] = [],
    deliveries: [DataDelivery] = []
  ) {
    self.identity = identity
    self.progress = progress
    self.message = message
    self.epochs = epochs
    self.evaluations = evaluations
    self.checkpoints = checkpoints
    self.deliveries = deliveries
  }

  /// The evaluations of the data that the run is trained on now, with that of the tables before
  /// its first epoch: those on earlier data are no comparison.
  package var comparableEvaluations: [EvaluationSummary] {
    guard let delivery = deliveries.last else { return evaluations }
    return evaluations.filter { $0.epoch + 1 >= delivery.epoch }
  }

  /// Adds a transition, as ``RunStore/record(_:)`` does; for runs whose records are in memory.
  ///
  /// An epoch or evaluation that is recorded already is replaced.
  package mutating func apply(_ record: RunRecord) {
    progress = record.progress
    message = ""
    switch record.change {
    case .epochFinished(let summary):
      epochs.removeAll { $0.epoch == summary.epoch }
      epochs.append(summary)
    case .evaluated(let summary):
      evaluations.removeAll { $0.epoch == summary.epoch }
      evaluations.append(summary)
    case .checkpointCommitted(let checkpoint): checkpoints.append(checkpoint)
    case .ended(let text): message = text
    case .clusterFormed, .generationRaised, .bestSaved: break
    }
  }
}

/// What a run is, from its beginning to its end.
package struct RunIdentity: Sendable, Equatable {
  package var id: String
  /// When the run was started first, as ISO 8601 text.
  package var created: String
  /// The resolved configuration, YAML.
  package var configuration: String
  /// What a continued run must agree with, such as `data` and `configuration`, each a digest.
  package var digests: [String: String]

  package init(id: String, created: String, configuration: String, digests: [String: String]) {
    self.id = id
    self.created = created
    self.configuration = configuration
    self.digests = digests
  }
}

/// What a coordinator needs to resume its run: what the run store holds.
package struct ResumePoint: Sendable, Equatable {
  package var progress: RunProgress
  /// In the order of the epochs.
  package var evaluations: [EvaluationSummary]
  /// The newest version that was committed in the generation of ``progress``.
  package var newestVersion: UInt64?
  /// The manifest that was committed last, in whatever generation; nil: none ever was.
  package var lastManifest: String?

  package init(
    progress: RunProgress, evaluations: [EvaluationSummary], newestVersion: UInt64? = nil,
    lastManifest: String? = nil
  ) {
    self.progress = progress
    self.evaluations = evaluations
    self.newestVersion = newestVersion
    self.lastManifest = lastManifest
  }

  package init(_ run: StoredRun) {
    let generation = run.progress.generation
    self.init(
      progress: run.progress, evaluations: run.comparableEvaluations,
      newestVersion: run.checkpoints.filter { $0.generation == generation }.map(\.version).max(),
      lastManifest: run.checkpoints.max {
        ($0.generation, $0.version) < ($1.generation, $1.version)
      }?.manifest)
  }
}
