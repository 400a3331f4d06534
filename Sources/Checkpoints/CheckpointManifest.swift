import Files
import ParameterServer
import Protocol
import Tables

/// The manifest of a checkpoint. It is written when the files of all servers are on disk; without a
/// manifest there is no checkpoint.
package struct CheckpointManifest: Sendable, Equatable {
  /// A table of the run, as recorded in the manifest.
  package struct Table: Sendable, Equatable, Codable {
    package let name: String
    /// Rows on all servers together.
    package let rows: Int
    /// Weights of a row.
    package let width: Int
    /// The update rule, named as in a `TableDescription`.
    package let rule: String

    /// Whether its rows are assigned, such as final vectors, and not updated by steps.
    package var isAssigned: Bool { updateRule == .assigned }

    /// nil if the rule is unknown. The rate of a moving average is not recorded.
    var updateRule: UpdateRule? { UpdateRule.named(rule, value: 1) }
  }

  /// The file with the rows of one server.
  package struct Shard: Sendable, Equatable {
    /// The name in the folder of the manifest.
    package let file: String
    package let byteCount: Int
    /// The digest of the file's bytes, as ``FileContent/digest``.
    package let digest: String
  }

  /// The version of the format of manifest and files. Version 1 lacked the configuration and the
  /// schedule; version 2 had digests of another algorithm, and did not name the optimizer and its
  /// states.
  static let formatVersion = 3

  package let runID: String
  package let name: CheckpointName
  /// How the run's versions count steps and epochs.
  package let schedule: StepSchedule
  package let tables: [Table]
  /// The optimizer that wrote the states of the rows.
  package let optimizer: OptimizerDescription
  /// By rank of their server.
  package let shards: [Shard]
  /// The run's configuration as text, so that the rows can be interpreted without the run.
  package let configuration: String
  /// The digest of the run's configuration.
  package let configurationDigest: String
  /// The digest of the data set.
  package let dataDigest: String
  /// The time of writing, ISO 8601.
  package let created: String

  /// The version of the tables.
  package var version: UInt64 { name.version }
  /// The epoch that the version belongs to, from 0.
  package var epoch: Int { schedule.epoch(ofVersion: version) }
  /// The step of the run that the version belongs to, from 0.
  package var step: UInt64 { schedule.step(ofVersion: version) }
  /// The number of servers that wrote it.
  package var serverCount: Int { shards.count }

  /// The manifest of the files that all servers of a run have written.
  ///
  /// - Parameters:
  ///   - tables: the run's tables in the order of their ids.
  ///   - optimizer: the run's optimizer.
  ///   - shards: the files in any order.
  /// - Throws: ``CheckpointError`` `mismatch` unless there is one file of each server, all of one
  ///   version and generation, under the expected paths.
  package init(
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

  /// The name, row count and row layout of a table.
  func shape(of table: Table) -> TableShape {
    TableShape(
      name: table.name, rows: table.rows,
      layout: optimizer.layout(width: table.width, rule: table.updateRule ?? .assigned))
  }

  /// Most states of an optimizer.
  private static let mostStates = 16

  /// Whether a text is a valid name of an optimizer or a state.
  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) }
  }

  /// What is invalid in the manifest; nil if nothing is.
  var problem: String? {
    if !(1...SlotMap.slotCount).contains(serverCount) { return "it is of \(serverCount) servers" }
    if version > UInt64(Int.max) { return "it is of version \(version)" }
    for (rank, shard) in shards.enumerated() {
      guard shard.file == CheckpointName.shardFile(rank: rank, serverCount: serverCount) else {
        return "the file of server \(rank) has the name '\(shard.file.sanitized())'"
      }
      guard shard.byteCount > 0 else {
        return "'\(shard.file.sanitized())' has \(shard.byteCount) bytes"
      }
    }
    if Set(tables.map(\.name)).count != tables.count { return "two tables have the same name" }
    for table in tables where !(1...Int(UInt32.max)).contains(table.rows) {
      return "table '\(table.name.sanitized())' has \(table.rows) rows"
    }
    for table in tables where table.updateRule == nil {
      return "table '\(table.name.sanitized())' is updated by '\(table.rule.sanitized())'"
    }
    let states = optimizer.states.map(\.name)
    guard states.count <= Self.mostStates, Set(states).count == states.count,
      ([optimizer.name] + states).allSatisfy(Self.isName),
      !states.contains(where: ShardLayout.reservedNames.contains)
    else { return "its optimizer is \(optimizer.summary.sanitized())" }
    for table in tables where !(1...1 << 24).contains(table.width) {
      return "table '\(table.name.sanitized())' has rows of width \(table.width)"
    }
    return nil
  }
}

/// Identifies a checkpoint of a run by its version and the generation in which that was reached.
/// Also the name of its folder, such as `v0000000118-g2`.
package struct CheckpointName: Sendable, Hashable, Comparable {
  /// The generation in which the version was reached.
  package let generation: UInt64
  /// The version of the tables.
  package let version: UInt64

  package init(generation: UInt64, version: UInt64) {
    self.generation = generation
    self.version = version
  }

  /// Parses the name of a folder; nil if it is not the name of a checkpoint.
  package init?(folder: String) {
    guard folder.hasPrefix("v"), let dash = folder.firstIndex(of: "-"),
      let version = UInt64(folder[folder.index(after: folder.startIndex)..<dash]),
      folder[dash...].hasPrefix("-g"), let generation = UInt64(folder[dash...].dropFirst(2))
    else { return nil }
    self.init(generation: generation, version: version)
    // Each checkpoint has only one name: no signs, no other padding.
    guard self.folder == folder else { return nil }
  }

  /// The name of the folder.
  package var folder: String {
    let digits = String(version)
    return "v" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
      + "-g\(generation)"
  }

  /// The path of the manifest relative to the folder of all checkpoints.
  package var manifest: String { "\(folder)/manifest.json" }

  /// From older to newer. A generation begins with the newest usable checkpoint of earlier ones, so
  /// all of its own checkpoints are newer.
  package static func < (left: CheckpointName, right: CheckpointName) -> Bool {
    (left.generation, left.version) < (right.generation, right.version)
  }

  /// The name of the file with the rows of one server.
  static func shardFile(rank: Int, serverCount: Int) -> String {
    "server-\(rank)-of-\(serverCount).safetensors"
  }
}
