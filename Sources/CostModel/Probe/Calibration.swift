import Configuration
import Datasets
import Foundation
import Recommenders
import Runtime
import Settings

/// What a run's costs are derived from: the messages of a real step on small data, and the time
/// that real steps take on this machine, in this process.
package struct Calibration: Sendable {
  package let shape: StepShape
  /// Of the run's own batch on small data; two where a step reads whole tables, the smaller first.
  package let steps: [MeasuredStep]
  let transport: TransportProbe?
  /// Bytes that the first computation of a process takes, whatever its size: code and libraries.
  package let firstBytes: Int

  /// How much is measured.
  package struct Effort: Sendable {
    /// Users and items of the probe where a step reads the rows of its batch alone: so many that
    /// rows come from memory and not from a cache, as those of larger data do.
    package var users = 1_000_000
    package var items = 100_000
    /// Of both together where a step reads whole tables.
    package var nodes = 12_000
    /// Bytes of features in memory.
    package var featureBytes = 256 << 20
    /// Processor time for each measurement, seconds.
    package var seconds = 1.0
    /// Whether messages are sent over the loopback.
    package var measuresTransport = true

    package init() {}

    /// Enough for sizes and memory, without processor time.
    package static let brief = {
      var effort = Effort()
      effort.users = 40_000
      effort.items = 20_000
      effort.seconds = 0
      effort.measuresTransport = false
      return effort
    }()
  }

  /// Users and items of the probe that shows what messages contain: many more than its batch has.
  private static let shapeSize = (users: 3000, items: 2000)
  private static let tripletsPerShard = 16

  /// Probes a run of this configuration.
  ///
  /// - Parameters:
  ///   - counts: of the run's data.
  /// - Throws: `TrainingError` if the probe's step fails, `DatasetError`, `ModelError`,
  ///   `TransportError`.
  package init(
    _ configuration: ProbeConfiguration, users: Int, items: Int, counts: InteractionCounts,
    effort: Effort = Effort()
  ) throws {
    let shapeSetup = try configuration.setup(
      users: Self.shapeSize.users, items: Self.shapeSize.items, like: counts)
    let shards = shapeSetup.configuration.training.shards
    let first = try StepProbe(shapeSetup, batchSize: Self.tripletsPerShard * shards)
    shape = try first.shape()
    firstBytes = first.measured.workerMemory
    let columns = configuration.modalities.reduce(0) { $0 + $1.columns }
    let mostItems = max(1000, effort.featureBytes / 4 / max(1, columns))
    // Enough that a batch has about as many distinct rows as in the run.
    let rows = 2 * shapeSetup.configuration.training.batchSize
    if shape.readsWholeTables {
      let scale = min(1, Double(effort.nodes) / Double(users + items))
      steps = try (scale < 0.8 ? [scale / 2, scale] : [1]).map { scale in
        let size = (
          users: max(50, Int(Double(users) * scale)), items: max(40, Int(Double(items) * scale))
        )
        return try MeasuredStep(
          configuration.setup(
            users: size.users, items: min(size.items, mostItems), like: counts),
          seconds: effort.seconds)
      }
    } else {
      steps = [
        try MeasuredStep(
          configuration.setup(
            users: min(users, max(effort.users, rows)),
            items: min(items, max(effort.items, rows), mostItems),
            like: counts), seconds: effort.seconds)
      ]
    }
    transport = effort.measuresTransport ? try TransportProbe() : nil
  }
}

/// The configuration of a run with the modalities of its data, to set it up on other data.
package struct ProbeConfiguration: Sendable {
  private let request: RunRequest
  package let modalities: [ModalitySize]

  /// - Parameter modalities: of the run's data; those that the model does not read are left out.
  /// - Throws: `ConfigurationError`.
  package init(_ request: RunRequest, modalities: [ModalitySize]) throws {
    self.request = request
    let model = try request.resolve().model.model
    self.modalities = ModelRegistry.needsFeatures(model) ? modalities : []
  }

  /// The run on generated data.
  ///
  /// - Throws: `ConfigurationError`, `DatasetError`, `ModelError`.
  package func setup(users: Int, items: Int, like counts: InteractionCounts) throws -> RunSetup {
    // Weights of an earlier run have other sizes.
    let layers =
      try request.requestedLayers() + [ConfigurationLayer(assignment: "initial_weights=\"\"")]
    let configuration = try request.resolve(layers)
    let dataset = try ProbeData.dataset(
      users: users, items: items, like: counts, modalities: modalities,
      seed: UInt64(configuration.training.seed))
    return try RunSetup(
      configuration: configuration, dataset: dataset,
      graphs: GraphStore(dataset: dataset, cacheFolder: nil))
  }
}
