/// A run of a sweep: what it is and how far it came.
public struct SweepRun: Sendable, Equatable {
  public enum State: String, Sendable, Codable {
    /// Planned and not begun.
    case waiting
    case running
    case finished
    /// Ended with an error, which the message says.
    case failed
    /// Stopped by a person; it is made again when the sweep goes on.
    case interrupted

    /// Whether it will not be made again in this sweep.
    var isOver: Bool { self == .finished || self == .failed }
  }

  /// What two runs share if they train the same model on the same data.
  public struct Identity: Sendable, Hashable {
    public var configurationDigest: String
    public var dataDigest: String

    public init(configurationDigest: String, dataDigest: String) {
      self.configurationDigest = configurationDigest
      self.dataDigest = dataDigest
    }
  }

  public var identity: Identity
  /// A digest that runs share whose seeds alone differ.
  public var repetitionDigest: String
  /// What tells the run from the others of its sweep.
  public var coordinates: [Coordinate]
  public var seed: Int
  /// What epochs, and runs, are chosen by on validation: `recall@20`.
  public var selectionMetric: String
  /// Relative to the sweep's folder.
  public var folder: String
  public var state: State
  /// How it ended, for people.
  public var message: String
  /// What it measured; of a failed run, as far as it came.
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

  /// The coordinates for people: `alpha1=0.05 seed=1`.
  public var name: String { coordinates.text }

  /// The selection metric on a split; nil unless the run finished.
  func selectionValue(_ split: Split) -> Double? {
    state == .finished ? result?.value(selectionMetric, split) : nil
  }
}
