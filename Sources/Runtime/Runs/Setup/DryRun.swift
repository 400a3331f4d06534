import Configuration
import Coordinator
import Datasets
import Recommenders
import Settings
import Tables
import Tensors

/// What `train --dry-run` prints: the plan of a run in numbers.
package struct DryRun: Sendable, Encodable {
  package struct Data: Sendable, Encodable {
    package let name: String
    package let folder: String
    package let digest: String
    package let users: Int
    package let items: Int
    package let train: Int
    package let valid: Int
    package let test: Int
    package let modalities: [Modality]
  }

  package struct Modality: Sendable, Encodable {
    package let name: String
    package let columns: Int
  }

  package struct Table: Sendable, Encodable {
    package let name: String
    package let rows: Int
    package let width: Int
    /// Of the values, without optimizer state.
    package let bytes: Int
    /// With optimizer state, as servers hold it.
    package let bytesWithState: Int
    /// Whether the optimizer changes it.
    package let isTrained: Bool

    enum CodingKeys: String, CodingKey {
      case name, rows, width, bytes
      case bytesWithState = "bytes_with_state"
      case isTrained = "trained"
    }
  }

  package struct Processes: Sendable, Encodable {
    package let workers: Int
    package let servers: Int
    /// That each worker computes on, and each server.
    package let threadsPerWorker: Int
    package let threadsPerServer: Int

    enum CodingKeys: String, CodingKey {
      case workers, servers
      case threadsPerWorker = "threads_per_worker"
      case threadsPerServer = "threads_per_server"
    }
  }

  package let schemaVersion = 1
  package let model: String
  package let objective: String
  package let data: Data
  package let tables: [Table]
  package let parameterCount: Int
  /// Of all tables, without optimizer state.
  package let bytes: Int
  /// With it.
  package let bytesWithState: Int
  package let stepsPerEpoch: Int
  package let roundsPerStep: Int
  package let shardsPerStep: Int
  /// The most epochs.
  package let epochs: Int
  package let processes: Processes
  /// The digest of what influences the result.
  package let configurationDigest: String
  package let settings: [RunConfiguration.SourcedSetting]
  /// Settings that have no effect, as sentences.
  package let warnings: [String]

  enum CodingKeys: String, CodingKey {
    case model, objective, data, tables, bytes, epochs, processes, settings, warnings
    case bytesWithState = "bytes_with_state"
    case schemaVersion = "schema_version"
    case parameterCount = "parameter_count"
    case stepsPerEpoch = "steps_per_epoch"
    case roundsPerStep = "rounds_per_step"
    case shardsPerStep = "shards_per_step"
    case configurationDigest = "configuration_digest"
  }

  package init(_ setup: RunSetup) {
    let configuration = setup.configuration
    let dataset = setup.dataset
    let plan = setup.plan(runID: "dry-run")
    model = configuration.model.model
    objective = configuration.model.objective.rawValue
    data = Data(
      name: dataset.name, folder: configuration.data.folder, digest: dataset.digest,
      users: dataset.userCount, items: dataset.itemCount, train: dataset.trainUsers.count,
      valid: dataset.valid.columns.count, test: dataset.test.columns.count,
      modalities: dataset.features.map { Modality(name: $0.name, columns: $0.columns) })
    tables = zip(setup.model.tables, setup.tableBytes).map { table, bytesWithState in
      Table(
        name: table.name, rows: table.rows, width: table.width,
        bytes: table.rows * table.width * MemoryLayout<Float>.stride,
        bytesWithState: bytesWithState,
        isTrained: table.parameterCount > 0)
    }
    parameterCount = setup.model.parameterCount
    bytes = tables.reduce(0) { $0 + $1.bytes }
    bytesWithState = tables.reduce(0) { $0 + $1.bytesWithState }
    stepsPerEpoch = Int(plan.stepsPerEpoch)
    roundsPerStep = Int(plan.roundsPerStep)
    shardsPerStep = Int(plan.shardCount)
    epochs = Int(plan.epochs)
    let threads = ComputingThreads(configuration)
    processes = Processes(
      workers: Int(plan.workerCount), servers: Int(plan.serverCount),
      threadsPerWorker: threads.perWorker, threadsPerServer: threads.perServer)
    configurationDigest = configuration.digest
    settings = configuration.sourcedSettings
    warnings = setup.warnings
  }

  /// As text, a line per figure.
  package var lines: [String] {
    [
      "model\t\(model)",
      "data\t\(data.name)",
      "users\t\(data.users)",
      "items\t\(data.items)",
      "training interactions\t\(data.train)",
      "workers\t\(processes.workers)",
      "servers\t\(processes.servers)",
      "threads per worker\t\(processes.threadsPerWorker)",
      "threads per server\t\(processes.threadsPerServer)",
      "steps per epoch\t\(stepsPerEpoch)",
      "shards per step\t\(shardsPerStep)",
      "trainable parameters\t\(parameterCount)",
      "tables\t\(tables.count)",
      "bytes of all tables, without optimizer state\t\(bytes)",
      "bytes of all tables, with optimizer state\t\(bytesWithState)",
    ]
  }
}
