import Protocol

/// How a run ended.
package struct RunOutcome: Sendable, Equatable {
  package enum Ending: Sendable, Equatable {
    /// All epochs are trained.
    case completed
    /// The selection metric stopped improving.
    case earlyStopped
    case interrupted(reason: String)
    case failed(RunFailure)
  }

  package var ending: Ending
  /// How many epochs were trained to their end.
  package var epochsFinished: UInt32
  /// The best evaluation whose model is completely written; nil if there is none.
  package var best: ModelSelection.Best?

  package init(ending: Ending, epochsFinished: UInt32, best: ModelSelection.Best?) {
    self.ending = ending
    self.epochsFinished = epochsFinished
    self.best = best
  }

  /// One line for the user.
  package var summary: String {
    switch ending {
    case .completed:
      epochsFinished == 1 ? "the only epoch is trained" : "all \(epochsFinished) epochs are trained"
    case .earlyStopped: "no further improvement after \(epochCount)"
    case .interrupted(let reason):
      "stopped after \(epochCount): \(reason)"
    case .failed(let failure): failure.message
    }
  }

  private var epochCount: String {
    "\(epochsFinished) \(epochsFinished == 1 ? "epoch" : "epochs")"
  }

  /// What the nodes learn of the end.
  package var nodeEnding: RunEnding {
    switch ending {
    case .completed, .earlyStopped: .orderly
    case .interrupted: .stopped
    case .failed(let failure): failure.isTransient ? .transientFailure : .permanentFailure
    }
  }

  package var status: RunStatus {
    switch ending {
    case .completed: .completed
    case .earlyStopped: .earlyStopped
    case .interrupted: .interrupted
    case .failed: .failed
    }
  }
}

/// Why a run failed.
package struct RunFailure: Sendable, Equatable, Error, CustomStringConvertible {
  package enum Kind: String, Sendable, Equatable {
    /// A node died, left, was silent for too long, or did not join in time.
    case peerLost
    /// A node could not do its task.
    case taskFailed
    /// A node found that the data were overwritten during the run.
    case dataChanged
    /// A node answered something that cannot be right.
    case wrongAnswer
    /// The loss is not a number any more.
    case diverged
    /// The evaluation does not report the metric that the selection needs.
    case metricMissing
    /// The best model could not be written.
    case bestNotSaved
    /// The checkpoints could not be read for as long as the cluster may take to form.
    case checkpointsUnreadable
    /// Checkpoints were committed, and there is none.
    case checkpointsMissing
    /// A server has tables of a run that, by the records, was never begun.
    case recordsMissing
  }

  package var kind: Kind
  /// One sentence: which node, when, what to do.
  package var message: String

  package init(kind: Kind, message: String) {
    self.kind = kind
    self.message = message
  }

  /// Whether the same command may succeed when it is started again.
  package var isTransient: Bool {
    switch kind {
    case .peerLost, .checkpointsUnreadable: true
    case .taskFailed, .dataChanged, .wrongAnswer, .diverged, .metricMissing, .bestNotSaved,
      .checkpointsMissing, .recordsMissing:
      false
    }
  }

  package var description: String { message }
}
