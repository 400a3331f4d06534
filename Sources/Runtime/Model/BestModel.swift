import Datasets
import Foundation
import Tensors

/// The best model of a run as files: what `recommend` and `export` read.
///
///     best.json                    which folder holds it; replaced in one step, and last
///     models/epoch-0012/user.npy   final user vectors, [U, D]
///     models/epoch-0012/item.npy   final item vectors, [I, D]
///     models/epoch-0012/parameters.safetensors   every table, without optimizer state
public struct BestModel: Sendable, Codable, Equatable {
  /// Refused when it is another one.
  public var formatVersion = 1
  public var epoch: UInt32
  /// The version of the tables.
  public var version: UInt64
  /// Relative to the run directory.
  public var folder: String

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case epoch, version, folder
  }

  init(epoch: UInt32, version: UInt64) {
    self.epoch = epoch
    self.version = version
    folder = "\(Self.parentFolder)/epoch-" + String(format: "%04d", epoch)
  }

  /// Where the folders of models are, relative to the run directory.
  static let parentFolder = "models"

  static func path(_ run: String) -> String { "\(run)/best.json" }

  /// Reads which model of a run is the best.
  ///
  /// - Throws: ``RuntimeError`` when the run has none, or in a format of another release;
  ///   `DatasetError` when the file cannot be opened.
  public static func read(run: String) throws -> BestModel {
    let path = path(run)
    guard FileManager.default.fileExists(atPath: path) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot find a model in '\(run)': there is no best.json. Name the directory of a "
          + "run that finished at least one evaluation.")
    }
    let file = try MappedFile(path: path)
    let model: BestModel
    do {
      model = try JSONDecoder().decode(BestModel.self, from: Data(file.bytes))
    } catch {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read '\(path)': it is damaged. Run the training again, or restore it.")
    }
    guard model.formatVersion == 1 else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read '\(path)': it has format \(model.formatVersion), this release reads "
          + "format 1. Use the release that wrote it.")
    }
    return model
  }

  /// Final vectors of a side, `user` or `item`.
  ///
  /// - Throws: `DatasetError` when the file is missing or damaged.
  public func vectors(_ side: String, run: String) throws -> Matrix {
    let file = try NPYFile(path: "\(run)/\(folder)/\(side).npy")
    let matrix = Matrix(rows: file.rows, columns: file.columns)
    for row in 0..<file.rows { file.copyRow(row, to: matrix.pointer + row * file.columns) }
    return matrix
  }

  /// The final vectors of one row of a side, `[D]`; nil if there is no such row.
  public func vector(_ side: String, row: Int, run: String) throws -> [Float]? {
    let file = try NPYFile(path: "\(run)/\(folder)/\(side).npy")
    guard row >= 0, row < file.rows else { return nil }
    return [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
      if let base = buffer.baseAddress { file.copyRow(row, to: base) }
      count = file.columns
    }
  }
}
