/// A run of a sweep: its settings, state and result.
package struct SweepRun: Sendable, Equatable {
  package enum State: String, Sendable, Codable {
    /// Planned, not begun.
    case waiting
    case running
    /// Stopped after the epochs that were asked for; it is resumed when more are.
    case paused
    case finished
    /// Ended with an error, which is in the message.
    case failed
    /// Stopped by the user; it is trained again when the sweep resumes.
    case interrupted

    /// Whether this sweep does not train it again.
    var isOver: Bool { self == .finished || self == .failed }
  }

  /// Equal for runs that train the same model on the same data.
  package struct Identity: Sendable, Hashable {
    package var configurationDigest: String
    package var dataDigest: String

    package init(configurationDigest: String, dataDigest: String) {
      self.configurationDigest = configurationDigest
      self.dataDigest = dataDigest
    }
  }

  package var identity: Identity
  /// Equal for runs that differ only in their seed.
  package var repetitionDigest: String
  /// What distinguishes the run from the others of its sweep.
  package var coordinates: [Coordinate]
  package var seed: Int
  /// The metric by which epochs and runs are chosen on validation: `recall@20`.
  package var selectionMetric: String
  /// Relative to the sweep's folder.
  package var folder: String
  package var state: State
  /// How it ended, as a sentence.
  package var message: String
  /// What it measured; of a failed run, up to the failure.
  package var result: RunResult?

  package init(
    identity: Identity, repetitionDigest: String, coordinates: [Coordinate], seed: Int,
    selectionMetric: String, folder: String, state: State, message: String = "",
    result: RunResult? = nil
  ) {
    self.identity = identity
    self.repetitionDigest = repetitionDigest
    self.coordinates = coordinates
    self.seed = seed
    self.selectionMetric = selectionMetric
    self.folder = folder
    self.state = state
    self.message = message
    self.result = result
  }

  /// The coordinates as text: `alpha1=0.05 seed=1`.
  package var name: String { coordinates.text }

  /// Whether nothing is left to train for a request.
  ///
  /// - Parameter pause: after how many epochs the run may pause; nil: it trains to its end.
  func isOver(pausingAfter pause: Int?) -> Bool {
    if state == .finished { return true }
    guard state == .paused, let pause, let result else { return false }
    // A program that was killed may have left its best model unsaved; the run then saves it.
    return result.epochsRun >= pause && result.value(selectionMetric, .valid) != nil
  }

  /// The selection metric on a split; nil unless the run finished.
  func selectionValue(_ split: Split) -> Double? {
    state == .finished ? result?.value(selectionMetric, split) : nil
  }
}
