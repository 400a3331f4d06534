import ParameterServer

/// The names of tensors and of metadata in the file of one server.
///
///     T           F32 [n, width]   weights of the server's n rows of table T
///     T/exp_avg   F32 [n, width]   and so on: the optimizer's states by name, of width 1 where a
///                                  row has one number of it
///     T/updates   U32 [n]          number of each row's last update, where it is tracked
///     T/rows      U32 [n]          the rows' ids, ascending
enum ShardLayout {
  static let format = "mrdib-checkpoint-2"

  enum Metadata {
    static let format = "format"
    static let run = "run"
    static let generation = "generation"
    static let version = "version"
    static let rank = "rank"
    static let servers = "servers"
    static let optimizer = "optimizer"
    static let configurationDigest = "configuration_digest"
    static let epochSums = "epoch_sums"
  }

  /// What a file says of itself, without the sums.
  static func metadata(
    run: String, name: CheckpointName, rank: Int, serverCount: Int, optimizer: String,
    configurationDigest: String
  ) -> [String: String] {
    [
      Metadata.format: format, Metadata.run: run, Metadata.generation: "\(name.generation)",
      Metadata.version: "\(name.version)", Metadata.rank: "\(rank)",
      Metadata.servers: "\(serverCount)", Metadata.optimizer: optimizer,
      Metadata.configurationDigest: configurationDigest,
    ]
  }

  /// What an optimizer's state cannot be called.
  static let reservedNames = ["updates", "rows"]

  /// Weights, then optimizer states.
  static func parts(of table: TableShape, rowCount: Int) -> [SafetensorsHeader.Tensor] {
    zip(partNames(of: table), table.layout.parts).map {
      .init(name: $0, rows: rowCount, columns: $1.count)
    }
  }

  static func partNames(of table: TableShape) -> [String] {
    [table.name] + table.layout.states.map { "\(table.name)/\($0.name)" }
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
    parts(of: table, rowCount: rowCount)
      + (table.layout.tracksUpdates ? [updates(of: table, rowCount: rowCount)] : [])
      + [rows(of: table, rowCount: rowCount)]
  }
}
