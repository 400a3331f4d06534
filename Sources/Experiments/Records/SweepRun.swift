/// A run of a sweep: its settings, state and result.
public struct SweepRun: Sendable, Equatable {
  public enum State: String, Sendable, Codable {
    /// Planned, not begun.
    case waiting
    case running
    case finished
    /// Ended with an error, which is in the message.
    case failed
    /// Stopped by the user; it is trained again when the sweep resumes.
    case interrupted

    /// Whether this sweep does not train it again.
    var isOver: Bool { self == .finished || self == .failed }
  }

  /// Equal for runs that train the same model on the same data.
  public struct Identity: Sendable, Hashable {
    public var configurationDigest: String
    public var dataDigest: String

    public init(configurationDigest: String, dataDigest: String) {
      self.configurationDigest = configurationDigest
      self.dataDigest = dataDigest
    }
  }

  public var identity: Identity
  /// Equal for runs that differ only in their seed.
  public var repetitionDigest: String
  /// What distinguishes the run from the others of its sweep.
  public var coordinates: [Coordinate]
  public var seed: Int
  /// The metric by which epochs and runs are chosen on validation: `recall@20`.
  public var selectionMetric: String
  /// Relative to the sweep's folder.
  public var folder: String
  public var state: State
  /// How it ended, as a sentence.
  public var message: String
  /// What it measured; of a failed run, up to the failure.
  public var result: RunResult?

  public init(
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
  public var name: String { coordinates.text }

  /// The selection metric on a split; nil unless the run finished.
  func selectionValue(_ split: Split) -> Double? {
    state == .finished ? result?.value(selectionMetric, split) : nil
  }
}
