import Checkpoints
import Datasets
import Foundation
import Models
import Tensors

/// The best model of a run as files: what `recommend` and `export` read.
///
///     best.json                    which folder holds it; replaced in one step, and last
///     models/epoch-0012/user.npy   final user vectors, [U, D]
///     models/epoch-0012/item.npy   final item vectors, [I, D]
///     models/epoch-0012/parameters.safetensors   every table, without optimizer state
public struct BestModel: Sendable, Codable, Equatable {
  /// A file of the model.
  public struct File: Sendable, Codable, Equatable {
    /// In the model's folder.
    public let name: String
    public let byteCount: Int
    /// Of its bytes.
    public let digest: String

    enum CodingKeys: String, CodingKey {
      case name, digest
      case byteCount = "bytes"
    }
  }

  /// Refused when it is another one. 1 lacked the files' digests.
  public private(set) var formatVersion = currentFormat
  public let epoch: UInt32
  /// The version of the tables.
  public let version: UInt64
  /// Relative to the run directory.
  public let folder: String
  public let files: [File]

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case epoch, version, folder, files
  }

  private static let currentFormat = 2

  init(epoch: UInt32, version: UInt64, files: [File]) {
    self.epoch = epoch
    self.version = version
    self.files = files
    folder = Self.folder(epoch: epoch)
  }

  /// Where the model of an epoch lies, relative to the run directory.
  static func folder(epoch: UInt32) -> String {
    "\(parentFolder)/epoch-" + String(format: "%04d", epoch)
  }

  /// The names of a model's files.
  static let fileNames = ["parameters.safetensors"] + Side.allCases.map { "\($0).npy" }

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
    let bytes = Data(file.bytes)
    guard let format = try? JSONDecoder().decode(Format.self, from: bytes).formatVersion else {
      throw damaged(path)
    }
    guard format == currentFormat else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read '\(path)': it has format \(format), this release reads format "
          + "\(currentFormat). Use the release that wrote it.")
    }
    guard let model = try? JSONDecoder().decode(BestModel.self, from: bytes),
      model.folder == folder(epoch: model.epoch),
      model.files.map(\.name).sorted() == fileNames.sorted()
    else { throw damaged(path) }
    return model
  }

  private struct Format: Decodable {
    let formatVersion: Int

    enum CodingKeys: String, CodingKey {
      case formatVersion = "format_version"
    }
  }

  private static func damaged(_ path: String) -> RuntimeError {
    RuntimeError(
      exitCode: .dataMalformed,
      message: "Cannot read '\(path)': it is damaged. Restore it from a copy, or train again.")
  }

  /// Reads every byte of a file and compares it with what was written.
  ///
  /// - Throws: ``RuntimeError`` when it is another; `CheckpointError` when it cannot be read.
  func check(_ file: File, run: String) throws {
    let path = "\(run)/\(folder)/\(file.name)"
    let found = try FileDigest.content(of: path)
    guard found == FileContent(byteCount: file.byteCount, digest: file.digest) else {
      let problem =
        found.byteCount == file.byteCount
        ? "its bytes are not those that were written"
        : "it has \(found.byteCount) bytes, and \(file.byteCount) were written"
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use '\(path)': \(problem); it is damaged. Restore it from a copy, or "
          + "train again.")
    }
  }

  /// Final vectors of a side, `user` or `item`. Their file is compared with what was written.
  ///
  /// - Throws: errors with a sentence when the file is missing or damaged.
  public func vectors(_ side: String, run: String) throws -> Matrix {
    for file in files where file.name == "\(side).npy" { try check(file, run: run) }
    let file = try NPYFile(path: "\(run)/\(folder)/\(side).npy")
    let matrix = Matrix(rows: file.rows, columns: file.columns)
    for row in 0..<file.rows { file.copyRow(row, to: matrix.pointer + row * file.columns) }
    return matrix
  }

  /// The final vectors of one row of a side, `[D]`; nil if there is no such row. The file is not
  /// read as a whole, so that nothing is compared but its size and shape.
  public func vector(_ side: String, row: Int, run: String) throws -> [Float]? {
    let file = try NPYFile(path: "\(run)/\(folder)/\(side).npy")
    guard row >= 0, row < file.rows else { return nil }
    return [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
      if let base = buffer.baseAddress { file.copyRow(row, to: base) }
      count = file.columns
    }
  }
}
