internal import ForeignText
public import Messages
public import ParameterServer
import Tables

/// What makes the files of all servers a checkpoint. It is written when all of them are on disk:
/// without it there is none.
public struct CheckpointManifest: Sendable, Equatable {
  /// A table, as far as files show it.
  public struct Table: Sendable, Equatable, Codable {
    public let name: String
    /// On all servers together.
    public let rows: Int
    /// Numbers in a row of weights.
    public let width: Int
    /// As in a table's description.
    public let rule: String

    /// Whether it is written as a whole now and then, and no step updates it.
    public var isAssigned: Bool { updateRule == .assigned }

    /// nil if there is no such rule. Files do not tell the rate of a moving average.
    var updateRule: UpdateRule? { UpdateRule.named(rule, value: 1) }
  }

  /// The file with the rows of one server.
  public struct Shard: Sendable, Equatable {
    /// In the folder of the manifest.
    public let file: String
    public let byteCount: Int
    /// Of the file's bytes, as ``FileContent/digest``.
    public let digest: String
  }

  /// Of the layout of manifest and files. 1 lacked the configuration and the counts of a schedule,
  /// 2 had digests of another algorithm, and numbered the optimizer's states without naming it.
  static let formatVersion = 3

  public let runID: String
  public let name: CheckpointName
  /// How the run's versions count steps and epochs.
  public let schedule: StepSchedule
  public let tables: [Table]
  /// What wrote the states of the rows.
  public let optimizer: OptimizerDescription
  /// By rank of their server.
  public let shards: [Shard]
  /// The run's configuration as text: what the rows mean follows from it, wherever the files go.
  public let configuration: String
  /// Of the run's configuration.
  public let configurationDigest: String
  /// Of the data that the run trains on.
  public let dataDigest: String
  /// When it was written, ISO 8601.
  public let created: String

  /// What the tables stand at.
  public var version: UInt64 { name.version }
  /// Which of the run the version belongs to, from 0.
  public var epoch: Int { schedule.epoch(ofVersion: version) }
  /// Which of the run the version belongs to, from 0.
  public var step: UInt64 { schedule.step(ofVersion: version) }
  /// Servers that wrote it.
  public var serverCount: Int { shards.count }

  /// The manifest of the files that all servers of a run have written.
  ///
  /// - Parameters:
  ///   - tables: of the run, in the order of their ids.
  ///   - optimizer: of the run.
  ///   - shards: in any order.
  /// - Throws: ``CheckpointError`` `mismatch` unless the files are of one version and generation,
  ///   one of each server, where servers write them.
  public init(
    runID: String, schedule: StepSchedule, tables: [TableDescription],
    optimizer: OptimizerDescription, shards: [CheckpointShard], configuration: String,
    configurationDigest: String, dataDigest: String, created: String
  ) throws(CheckpointError) {
    let ordered = shards.sorted { $0.rank < $1.rank }
    guard let first = ordered.first else {
      throw CheckpointError(.mismatch, "Cannot make a checkpoint of no files.")
    }
    name = CheckpointName(generation: first.generation, version: first.version)
    self.shards = ordered.map {
      Shard(
        file: String($0.file.split(separator: "/").last ?? ""),
        byteCount: Int(clamping: $0.byteCount), digest: $0.digest)
    }
    self.runID = runID
    self.schedule = schedule
    self.optimizer = optimizer
    self.configuration = configuration
    self.tables = tables.map {
      Table(name: $0.name, rows: Int(clamping: $0.rows), width: Int($0.width), rule: $0.rule)
    }
    self.configurationDigest = configurationDigest
    self.dataDigest = dataDigest
    self.created = created
    for (rank, shard) in ordered.enumerated() {
      let file = CheckpointName.shardFile(rank: rank, serverCount: ordered.count)
      guard shard.generation == first.generation, shard.version == first.version,
        shard.rank == rank, shard.file == "\(name.folder)/\(file)"
      else {
        throw CheckpointError(
          .mismatch,
          "Cannot make a checkpoint of version \(first.version) in generation "
            + "\(first.generation) with '\(shard.file)' of version \(shard.version) and generation "
            + "\(shard.generation): server \(rank) of \(ordered.count) writes "
            + "'\(name.folder)/\(file)'. Use the same release of mrdib on all machines.")
      }
    }
    if let problem { throw CheckpointError(.mismatch, "Cannot make a checkpoint: \(problem).") }
  }

  init(
    runID: String, name: CheckpointName, schedule: StepSchedule, tables: [Table],
    optimizer: OptimizerDescription, shards: [Shard], configuration: String,
    configurationDigest: String, dataDigest: String, created: String
  ) {
    self.runID = runID
    self.name = name
    self.optimizer = optimizer
    self.schedule = schedule
    self.tables = tables
    self.shards = shards
    self.configuration = configuration
    self.configurationDigest = configurationDigest
    self.dataDigest = dataDigest
    self.created = created
  }

  /// What belongs to each row of a table.
  func shape(of table: Table) -> TableShape {
    TableShape(
      name: table.name, rows: table.rows,
      layout: optimizer.layout(width: table.width, rule: table.updateRule ?? .assigned))
  }

  /// States of an optimizer at most.
  private static let mostStates = 16

  /// Whether a text can name an optimizer or a state.
  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) }
  }

  /// What cannot be right, whoever wrote it; nil: nothing.
  var problem: String? {
    if !(1...SlotMap.slotCount).contains(serverCount) { return "it is of \(serverCount) servers" }
    if version > UInt64(Int.max) { return "it is of version \(version)" }
    for (rank, shard) in shards.enumerated() {
      guard shard.file == CheckpointName.shardFile(rank: rank, serverCount: serverCount) else {
        return "the file of server \(rank) is called '\(shard.file.shown())'"
      }
      guard shard.byteCount > 0 else {
        return "'\(shard.file.shown())' has \(shard.byteCount) bytes"
      }
    }
    if Set(tables.map(\.name)).count != tables.count { return "two tables have the same name" }
    for table in tables where !(1...Int(UInt32.max)).contains(table.rows) {
      return "table '\(table.name.shown())' has \(table.rows) rows"
    }
    for table in tables where table.updateRule == nil {
      return "table '\(table.name.shown())' is updated by '\(table.rule.shown())'"
    }
    let states = optimizer.states.map(\.name)
    guard states.count <= Self.mostStates, Set(states).count == states.count,
      ([optimizer.name] + states).allSatisfy(Self.isName),
      !states.contains(where: ShardLayout.reservedNames.contains)
    else { return "its optimizer is \(optimizer.summary.shown())" }
    for table in tables where !(1...1 << 24).contains(table.width) {
      return "table '\(table.name.shown())' has rows of width \(table.width)"
    }
    return nil
  }
}
