import Checkpoints
import Datasets
import ForeignText
import Foundation
import Models

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
    /// Of its bytes, as `xxh128sum` prints it, behind `xxh128:`.
    public let digest: String

    enum CodingKeys: String, CodingKey {
      case name, digest
      case byteCount = "bytes"
    }

    init(_ name: String, _ content: FileContent) {
      self.name = name
      byteCount = content.byteCount
      digest = content.digest
    }
  }

  public let formatVersion: Int
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

  /// 1 lacked the files' digests, 2 had those of another algorithm.
  private static let currentFormat = 3

  init(epoch: UInt32, version: UInt64, folder: String, files: [File]) {
    formatVersion = Self.currentFormat
    self.epoch = epoch
    self.version = version
    self.folder = folder
    self.files = files
  }

  // MARK: Names

  /// Where the folders of models are, relative to the run directory.
  static let parentFolder = "models"

  /// Where the model of an epoch may lie, relative to the run directory: the other one is for a
  /// model of the same epoch that takes the place of the first.
  static func folders(epoch: UInt32) -> [String] {
    let folder = "\(parentFolder)/epoch-" + String(format: "%04d", epoch)
    return [folder, "\(folder)-again"]
  }

  /// Whether the parent folder's entry of this name is a model's, and no file of a person.
  static func isFolder(_ name: String) -> Bool {
    name.wholeMatch(of: /epoch-\d+(-again)?/) != nil
  }

  static let parametersName = "parameters.safetensors"

  static func fileName(_ side: Side) -> String { "\(side).npy" }

  static func path(_ run: String) -> String { "\(run)/best.json" }

  // MARK: Reading

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
      throw damaged(path, ContentKind.sentence(file.bytes, isJSONExpected: true))
    }
    guard format == currentFormat else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read '\(path)': it has format \(format), and this release reads format "
          + "\(currentFormat). Use the release that wrote it, or train again.")
    }
    let names = [parametersName] + Side.allCases.map(fileName)
    guard let model = try? JSONDecoder().decode(BestModel.self, from: bytes),
      folders(epoch: model.epoch).contains(model.folder),
      model.files.map(\.name).sorted() == names.sorted()
    else { throw damaged(path) }
    return model
  }

  private struct Format: Decodable {
    let formatVersion: Int

    enum CodingKeys: String, CodingKey {
      case formatVersion = "format_version"
    }
  }

  private static func damaged(_ path: String, _ kind: String? = nil) -> RuntimeError {
    RuntimeError(
      exitCode: .dataMalformed,
      message:
        "Cannot read '\(path)': \(kind ?? "it is damaged"). Restore it from a copy, or train again."
    )
  }

  /// Uses the best model of a run. One that is training may replace it meanwhile, and delete the
  /// files of the one before; then the new one is used.
  ///
  /// - Throws: what `body` throws for a model that is still the best; errors of ``read(run:)``.
  public static func using<Result>(
    run: String, _ body: (BestModel) throws -> Result
  ) throws -> Result {
    var model = try read(run: run)
    while true {
      do {
        return try body(model)
      } catch {
        // As often as a run improves while its model is read, which is not for ever.
        let newer = try read(run: run)
        guard newer != model else { throw error }
        model = newer
      }
    }
  }
}
