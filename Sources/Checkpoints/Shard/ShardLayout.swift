import Files
import Foundation
import ParameterServer
import Protocol

/// The names of tensors and metadata in the file of one server.
///
///     T           F32 [n, width]   weights of the server's n rows of table T
///     T/exp_avg   F32 [n, width]   and so on: the optimizer's states by name; width 1 for a state
///                                  with one number per row; BF16 if they are stored so
///     T/updates   U32 [n]          number of each row's last update, if tracked
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

  /// The metadata of a file without the epoch sums.
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

  /// Names that an optimizer's state must not have.
  static let reservedNames = ["updates", "rows"]

  /// Weights, then optimizer states.
  static func parts(of table: TableShape, rowCount: Int) -> [SafetensorsHeader.Tensor] {
    zip(partNames(of: table), table.layout.parts).map {
      .init(name: $0, type: .init($1.precision), shape: [rowCount, $1.columns])
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

extension SafetensorsHeader.ElementType {
  fileprivate init(_ precision: MomentPrecision) {
    switch precision {
    case .float32: self = .float32
    case .bfloat16: self = .bfloat16
    }
  }
}

/// The sums of an epoch as JSON text that preserves every bit: numbers are strings in Swift's
/// shortest exact form.
package enum EpochSumsText {
  private struct Sums: Codable {
    let unit: UInt32
    let sums: [String: String]
  }

  package static func encode(_ reports: [UnitReport]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let sums = reports.map { Sums(unit: $0.unit, sums: $0.sums.mapValues { "\($0)" }) }
    return String(decoding: try encoder.encode(sums), as: UTF8.self)
  }

  /// nil if the text is malformed.
  package static func decode(_ text: String) -> [UnitReport]? {
    guard let reports = try? JSONDecoder().decode([Sums].self, from: Data(text.utf8)) else {
      return nil
    }
    var result: [UnitReport] = []
    for report in reports {
      var sums: [String: Double] = [:]
      for (name, text) in report.sums {
        guard let value = Double(text) else { return nil }
        sums[name] = value
      }
      result.append(UnitReport(unit: report.unit, sums: sums))
    }
    return result
  }
}
