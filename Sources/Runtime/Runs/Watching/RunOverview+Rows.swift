extension RunOverview {
  /// A finished epoch, as its line in `metrics.jsonl` has it.
  package struct Epoch: Sendable, Equatable, Codable {
    package var epoch: UInt32
    /// When it was trained to its end, seconds since the run began; sums of the epochs' own seconds
    /// where only files are known.
    package var at: Double
    package var trainSeconds: Double
    /// nil if it was not evaluated.
    package var evaluateSeconds: Double?
    /// The total and its parts, means over the steps.
    package var loss: [String: Double?]
    /// Statistics that are no part of the loss, means over the steps.
    package var stat: [String: Double?]
    /// Means over the users; empty if it was not evaluated.
    package var valid: [String: Double?]
    package var test: [String: Double?]

    private enum CodingKeys: String, CodingKey {
      case epoch, at, loss, stat, valid, test
      case trainSeconds = "train_seconds"
      case evaluateSeconds = "evaluate_seconds"
    }
  }

  /// MRdIB's gauges of a modality in the last finished epoch.
  package struct Modality: Sendable, Equatable, Codable {
    package var name: String
    /// Nats, of the code's distribution from its prior, per dimension.
    package var divergencePerDimension: Double?
    /// Mean standard deviation of the code.
    package var sigma: Double?
    /// Root mean square of the code's mean.
    package var size: Double?
    /// The ranking loss of this modality alone.
    package var unimodalLoss: Double?

    private enum CodingKeys: String, CodingKey {
      case name, sigma, size
      case divergencePerDimension = "divergence_per_dimension"
      case unimodalLoss = "unimodal_loss"
    }
  }

  /// Two modalities: what they repeat.
  package struct Pair: Sendable, Equatable, Codable {
    package var name: String
    /// Nats, as the discriminator estimates it in an epoch: a lower bound.
    package var mutualInformation: Double?
    /// Its running mean.
    package var runningMutualInformation: Double?

    private enum CodingKeys: String, CodingKey {
      case name
      case mutualInformation = "mutual_information"
      case runningMutualInformation = "running_mutual_information"
    }
  }

  /// How the gated form limits the objective's gradients, means over the steps.
  package struct Gate: Sendable, Equatable, Codable {
    /// The share of tensors in which they contradict those of the backbone's own loss.
    package var conflict: Double?
    /// The mean factor by which they are multiplied.
    package var scale: Double?
  }

  package struct Node: Sendable, Equatable, Codable {
    /// `worker` or `server`.
    package var role: String
    package var rank: UInt32
    package var name: String
    package var host: String
    package var process: UInt32
    /// `preparing`, `idle`, `working`, `silent`, `lost` or `left`.
    package var state: String
    package var since: String
    /// Since its last message.
    package var silentSeconds: Double?
    /// Shards that a worker trains, or blocks that it ranks.
    package var units: Int
    /// Of a worker in training its share of the examples, of a server its versions.
    package var perSecond: Double?
    /// What ``perSecond`` counts: `examples` or `versions`.
    package var perSecondUnit: String
    /// Steps or blocks behind the first of its role, or versions.
    package var lag: UInt64
    package var residentBytes: UInt64?
    /// Processors in use on average over the last seconds.
    package var processors: Double?
    /// In words, of a node that is lost.
    package var note: String

    private enum CodingKeys: String, CodingKey {
      case role, rank, name, host, process, state, since, units, lag, processors, note
      case silentSeconds = "silent_seconds"
      case perSecond = "per_second"
      case perSecondUnit = "per_second_unit"
      case residentBytes = "resident_bytes"
    }
  }

  package struct Event: Sendable, Equatable, Codable {
    package enum Severity: String, Sendable, Equatable, Codable {
      case info
      case good
      case warning
      case error
    }

    package var time: String
    /// Seconds since the run began, as in ``Epoch/at``.
    package var at: Double
    /// In epochs that are done: 12.5 is the middle of epoch 12.
    package var position: Double
    /// Such as `lost`, `joined`, `recovery`, `checkpoint`, `refusal`, `end`.
    package var kind: String
    package var severity: Severity
    /// One sentence, without control characters.
    package var text: String
  }
}
