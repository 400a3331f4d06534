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
}
