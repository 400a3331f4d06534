import Foundation

/// Where a run is at one moment, and how it got there: what `mrdib status` prints and what the page
/// shows. A value; its JSON form has a schema number.
///
/// Numbers that are not finite are `null` in JSON and nil here. Times are ISO 8601 in UTC, durations
/// are seconds, epochs are counted from 0.
package struct RunOverview: Sendable, Equatable, Codable {
  /// Raised when a key changes its meaning or is removed. New keys may come without a new number.
  package static let schemaVersion = 1
  /// The most events that a snapshot has: the newest.
  package static let eventLimit = 400

  package var schema = RunOverview.schemaVersion
  /// When the snapshot was made.
  package var time: String
  package var run: Description
  package var state: State
  /// One sentence; empty where the state says all.
  package var message: String
  /// nil where it is not known, as in a run whose process is dead.
  package var position: Position?
  /// nil before there is anything to estimate it from, and after the end.
  package var timeLeft: TimeLeft?
  /// Since the run began, over all its starts as far as epochs were finished.
  package var elapsedSeconds: Double?
  package var selection: Selection
  /// In their order. A snapshot that was asked for since an epoch has only those from there on.
  package var epochs: [Epoch]
  /// Raised whenever an epoch that was there before has changed: who keeps epochs asks for all.
  package var historyRevision: UInt64 = 0
  package var modalities: [Modality]
  package var pairs: [Pair]
  /// Only of the gated form of the objective.
  package var gate: Gate?
  /// Servers before workers, by rank; empty where only files are known.
  package var nodes: [Node]
  /// The oldest first.
  package var events: [Event]

  private enum CodingKeys: String, CodingKey {
    case schema, time, run, state, message, position, selection, epochs, modalities, pairs, gate
    case nodes, events
    case timeLeft = "time_left"
    case elapsedSeconds = "elapsed_seconds"
    case historyRevision = "history_revision"
  }
}

extension RunOverview {
  /// Which run it is.
  package struct Description: Sendable, Equatable, Codable {
    package var id: String
    /// The last part of its directory's path.
    package var name: String
    package var model: String
    package var dataset: String
    /// `plain` or `mrdib`.
    package var objective: String
    package var seed: UInt64
    package var created: String
    package var epochs: UInt32
    package var shards: UInt32
    /// How many workers and servers it is meant for.
    package var workers: UInt32
    package var servers: UInt32

    package init(
      id: String, name: String, model: String, dataset: String, objective: String, seed: UInt64,
      created: String, epochs: UInt32, shards: UInt32, workers: UInt32, servers: UInt32
    ) {
      self.id = id
      self.name = name
      self.model = model
      self.dataset = dataset
      self.objective = objective
      self.seed = seed
      self.created = created
      self.epochs = epochs
      self.shards = shards
      self.workers = workers
      self.servers = servers
    }
  }

  /// What a run does, or how it ended.
  package enum State: String, Sendable, Equatable, Codable, CaseIterable {
    /// Waits for workers and servers.
    case forming
    case training
    case evaluating
    /// Writes the best model.
    case saving
    /// Waits for a last checkpoint.
    case stopping
    /// From files: a process owns the run, and which phase it is in is not known.
    case running
    /// From files: the run has not ended, and no process owns it.
    case dead
    case completed
    case earlyStopped = "early_stopped"
    case interrupted
    case failed

    /// Whether nothing will change any more unless the run is started again.
    package var isOver: Bool {
      switch self {
      case .forming, .training, .evaluating, .saving, .stopping, .running: false
      case .dead, .completed, .earlyStopped, .interrupted, .failed: true
      }
    }
  }

  package struct Position: Sendable, Equatable, Codable {
    /// The one under way.
    package var epoch: UInt32
    package var epochsFinished: UInt32
    /// `train`, `materialize` or `rank`; nil where it is not known.
    package var activity: String?
    /// Steps or blocks.
    package var done: UInt64
    package var total: UInt64
    /// Training examples, in this epoch.
    package var examplesPerSecond: Double?
    /// What the run waits for, if it does.
    package var waitingFor: String?
    /// Before the run ends, or a silent member counts as lost.
    package var waitSecondsLeft: Double?

    package init(
      epoch: UInt32, epochsFinished: UInt32, activity: String? = nil, done: UInt64 = 0,
      total: UInt64 = 0, examplesPerSecond: Double? = nil, waitingFor: String? = nil,
      waitSecondsLeft: Double? = nil
    ) {
      self.epoch = epoch
      self.epochsFinished = epochsFinished
      self.activity = activity
      self.done = done
      self.total = total
      self.examplesPerSecond = examplesPerSecond
      self.waitingFor = waitingFor
      self.waitSecondsLeft = waitSecondsLeft
    }

    /// In epochs: 12.5 is the middle of epoch 12.
    package var reached: Double {
      guard activity == "train", total > 0 else { return Double(epochsFinished) }
      return Double(epoch) + min(1, Double(done) / Double(total))
    }

    private enum CodingKeys: String, CodingKey {
      case epoch, activity, done, total
      case epochsFinished = "epochs_finished"
      case examplesPerSecond = "examples_per_second"
      case waitingFor = "waiting_for"
      case waitSecondsLeft = "wait_seconds_left"
    }
  }

  /// The least is until the patience ends if nothing is better any more, the most until all epochs
  /// are trained.
  package struct TimeLeft: Sendable, Equatable, Codable {
    package var leastSeconds: Double
    package var mostSeconds: Double

    package init(_ range: ClosedRange<Double>) {
      leastSeconds = range.lowerBound
      mostSeconds = range.upperBound
    }

    package var range: ClosedRange<Double> {
      min(leastSeconds, mostSeconds)...max(leastSeconds, mostSeconds)
    }

    private enum CodingKeys: String, CodingKey {
      case leastSeconds = "least_seconds"
      case mostSeconds = "most_seconds"
    }
  }

  /// The choice of the best epoch.
  package struct Selection: Sendable, Equatable, Codable {
    /// Such as `valid.recall@20`.
    package var metric: String
    /// The run stops after more than so many evaluations without improvement.
    package var patience: UInt32
    package var bestEpoch: UInt32?
    package var bestValue: Double?
    /// Evaluations in a row without improvement.
    package var notImproved: UInt32

    package init(
      metric: String, patience: UInt32, bestEpoch: UInt32? = nil, bestValue: Double? = nil,
      notImproved: UInt32 = 0
    ) {
      self.metric = metric
      self.patience = patience
      self.bestEpoch = bestEpoch
      self.bestValue = bestValue
      self.notImproved = notImproved
    }

    private enum CodingKeys: String, CodingKey {
      case metric, patience
      case bestEpoch = "best_epoch"
      case bestValue = "best_value"
      case notImproved = "not_improved"
    }
  }

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
    /// What ``perSecond`` counts: `examples`, `blocks` or `versions`.
    package var perSecondUnit: String
    /// Steps or blocks behind the first of its role, or versions.
    package var lag: UInt64
    package var residentBytes: UInt64?
    /// Processors in use on average since the last snapshot.
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
    /// On the axis of the curves: 12.5 is the middle of epoch 12.
    package var position: Double
    /// Such as `lost`, `joined`, `recovery`, `checkpoint`, `refusal`, `best`, `end`.
    package var kind: String
    package var severity: Severity
    /// One sentence, without control characters.
    package var text: String
  }
}

extension RunOverview {
  /// UTF-8, keys sorted, one line.
  package func encoded(isPretty: Bool = false) throws -> [UInt8] {
    try ResultJSON.encode(self, isPretty: isPretty)
  }

  /// - Throws: ``RuntimeError`` if the bytes are no snapshot, or one of a later schema.
  package init(decoding bytes: [UInt8], of source: String) throws {
    struct Schema: Decodable { var schema: Int }
    let decoder = JSONDecoder()
    guard let schema = try? decoder.decode(Schema.self, from: Data(bytes)).schema else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the status of \(source): it is not the JSON of a run. Check that the "
          + "address is that of a page of mrdib.")
    }
    guard schema <= Self.schemaVersion else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the status of \(source): it has schema \(schema), and this program "
          + "reads up to \(Self.schemaVersion). Use the program that trains the run.")
    }
    do {
      self = try decoder.decode(Self.self, from: Data(bytes))
    } catch {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the status of \(source): keys of a run's JSON are missing or have "
          + "other types. Use the program that trains the run.")
    }
  }
}
