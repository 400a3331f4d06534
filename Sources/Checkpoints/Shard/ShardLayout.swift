import ParameterServer

/// The names of tensors and of metadata in the file of one server.
///
///     T          F32 [n, width]   weights of the server's n rows of table T
///     T/state0   F32 [n, width]   Adagrad's sum or Adam's m, where there is one
///     T/state1   F32 [n, width]   Adam's v
///     T/updates  U32 [n]          number of each row's last update, where it is tracked
///     T/rows     U32 [n]          the rows' ids, ascending
enum ShardLayout {
  static let format = "mrdib-checkpoint-1"

  enum Metadata {
    static let format = "format"
    static let run = "run"
    static let generation = "generation"
    static let version = "version"
    static let rank = "rank"
    static let servers = "servers"
    static let configurationDigest = "configuration_digest"
    static let epochSums = "epoch_sums"
  }

  /// What a file says of itself, without the sums.
  static func metadata(
    run: String, name: CheckpointName, rank: Int, serverCount: Int, configurationDigest: String
  ) -> [String: String] {
    [
      Metadata.format: format, Metadata.run: run, Metadata.generation: "\(name.generation)",
      Metadata.version: "\(name.version)", Metadata.rank: "\(rank)",
      Metadata.servers: "\(serverCount)", Metadata.configurationDigest: configurationDigest,
    ]
  }

  /// Weights (part 0) or optimizer state (part 1, …).
  static func part(_ part: Int, of table: TableShape, rowCount: Int) -> SafetensorsHeader.Tensor {
    .init(
      name: partName(part, of: table.name), rows: rowCount, columns: table.width)
  }

  static func partName(_ part: Int, of table: String) -> String {
    part == 0 ? table : "\(table)/state\(part - 1)"
  }

  static func updates(of table: TableShape, rowCount: Int) -> SafetensorsHeader.Tensor {
    .init(name: updatesName(of: table.name), type: .uint32, shape: [rowCount])
  }

  static func updatesName(of table: String) -> String { "\(table)/updates" }

  static func rows(of table: TableShape, rowCount: Int) -> SafetensorsHeader.Tensor {
    .init(name: rowsName(of: table.name), type: .uint32, shape: [rowCount])
  }

  static func rowsName(of table: String) -> String { "\(table)/rows" }

  /// The tensors of a table in the order in which they are written.
  static func tensors(of table: TableShape, rowCount: Int) -> [SafetensorsHeader.Tensor] {
    (0...table.stateCount).map { part($0, of: table, rowCount: rowCount) }
      + (table.tracksUpdates ? [updates(of: table, rowCount: rowCount)] : [])
      + [rows(of: table, rowCount: rowCount)]
  }
}
