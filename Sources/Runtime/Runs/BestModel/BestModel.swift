import Checkpoints
import Coordinator
import Datasets
import Files
import Foundation
import Recommenders
import Tensors

/// The best model of a run as files: what `recommend` and `export` read.
///
///     best.json                    names the folder; written last, and replaced atomically
///     models/epoch-0012/user.npy   final user vectors, [U, D]
///     models/epoch-0012/item.npy   final item vectors, [I, D]
///     models/epoch-0012/parameters.safetensors   every table, without optimizer state
package struct BestModel: Sendable, Codable, Equatable {
  /// A file of the model.
  package struct File: Sendable, Codable, Equatable {
    /// Relative to the model's folder.
    package let name: String
    package let byteCount: Int
    /// `xxh128:` and what `xxh128sum` prints for the file.
    package let digest: String

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

  package let formatVersion: Int
  package let epoch: UInt32
  /// The version of the tables.
  package let version: UInt64
  /// Relative to the run directory.
  package let folder: String
  package let files: [File]
  /// Of the data set's original ids; nil in models of earlier releases.
  package let identifiers: IdentifierDigests?

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case epoch, version, folder, files, identifiers
  }

  /// Format 1 lacked the files' digests, format 2 had another algorithm's.
  private static let currentFormat = 3

  init(
    epoch: UInt32, version: UInt64, folder: String, files: [File],
    identifiers: IdentifierDigests? = nil
  ) {
    formatVersion = Self.currentFormat
    self.epoch = epoch
    self.version = version
    self.folder = folder
    self.files = files
    self.identifiers = identifiers
  }

  // MARK: Names

  /// The parent of the models' folders, relative to the run directory.
  static let parentFolder = "models"

  /// The folders that the model of an epoch may have, relative to the run directory: the second one
  /// is for a model that replaces one of the same epoch.
  static func folders(epoch: UInt32) -> [String] {
    let folder = "\(parentFolder)/epoch-" + String(format: "%04d", epoch)
    return [folder, "\(folder)-again"]
  }

  /// Whether an entry of the parent folder is a model's folder; users may keep other files there.
  static func isFolder(_ name: String) -> Bool {
    name.wholeMatch(of: /epoch-\d+(-again)?/) != nil
  }

  static let parametersName = "parameters.safetensors"

  static func fileName(_ side: Side) -> String { "\(side).npy" }

  static func path(_ run: String) -> String { "\(run)/best.json" }

  // MARK: Reading

  /// Reads which model of a run is the best.
  ///
  /// - Throws: ``RuntimeError`` when the run has none, or one in a format of another release;
  ///   `DatasetError` when the file cannot be opened.
  package static func read(run: String) throws -> BestModel {
    let path = path(run)
    let files = FileManager.default
    guard files.fileExists(atPath: path) else {
      let problem =
        if ForeignFolder.isSweep(run) {
          "it is the folder of a sweep. Name one of its runs, which are in '\(run)/runs'; the "
            + "sweep prints the chosen one when it ends."
        } else if !files.fileExists(atPath: run) {
          "there is no such folder. Name the directory of a run."
        } else {
          "there is no best.json. Name the directory of a run that finished at least one "
            + "evaluation."
        }
      throw RuntimeError(
        exitCode: .inputMissing, message: "Cannot find a model in '\(run)': \(problem)")
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

  /// Calls `body` with the best model of a run. If a run that is training replaces the model in the
  /// meantime and deletes its files, `body` is called again with the new one.
  ///
  /// - Throws: errors of `body` for a model that is still the best; errors of ``read(run:)``.
  package static func using<Result>(
    run: String, _ body: (BestModel) throws -> Result
  ) throws -> Result {
    var model = try read(run: run)
    while true {
      do {
        return try body(model)
      } catch {
        // This ends: the run improves only so often while its model is read.
        let newer = try read(run: run)
        guard newer != model else { throw error }
        model = newer
      }
    }
  }
}

extension BestModel {
  /// Reads every byte of a file and compares size and digest with those recorded.
  ///
  /// - Parameter progress: receives the number of bytes of every part that is read.
  /// - Throws: ``RuntimeError`` when they differ; `CheckpointError` when the file cannot be read.
  func check(_ file: File, run: String, progress: (Int) -> Void = { _ in }) throws {
    let path = "\(run)/\(folder)/\(file.name)"
    let found = try FileContent(of: path, progress: progress)
    guard found == FileContent(byteCount: file.byteCount, digest: file.digest) else {
      let problem =
        found.byteCount == file.byteCount
        ? "its digest is not the recorded one"
        : "it has \(found.byteCount) bytes, but \(file.byteCount) were written"
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use '\(path)': \(problem); it is damaged. Restore it from a copy, or "
          + "train again.")
    }
  }

  /// The file of a side's vectors, mapped, after a check of its digest.
  ///
  /// - Throws: errors with a sentence when it is missing or damaged.
  func file(_ side: Side, run: String) throws -> NPYFile {
    let name = Self.fileName(side)
    for file in files where file.name == name { try check(file, run: run) }
    return try NPYFile(path: "\(run)/\(folder)/\(name)")
  }

  /// The final vectors of a side.
  ///
  /// - Throws: errors with a sentence when their file is missing or damaged.
  package func vectors(_ side: Side, run: String) throws -> Matrix {
    let file = try file(side, run: run)
    let matrix = Matrix(rows: file.rows, columns: file.columns)
    for row in 0..<file.rows { file.copyRow(row, to: matrix.pointer + row * file.columns) }
    return matrix
  }
}

extension BestModel {
  /// Compares a run's best model with its records, without reading the model's files.
  ///
  /// - Returns: the first difference; nil if there is none.
  static func disagreement(with run: StoredRun, in directory: RunDirectory) -> String? {
    let progress = run.progress
    guard let recorded = progress.best, progress.isBestSaved else {
      // The model on disk may be newer than the record, or the one before the unsaved best.
      guard FileManager.default.fileExists(atPath: path(directory.path)) else { return nil }
      return problem(in: directory) { best in
        let isEvaluated = run.evaluations.contains {
          $0.epoch == best.epoch && $0.version == best.version
        }
        return isEvaluated
          ? nil : "best.json names epoch \(best.epoch), but run.sqlite has no evaluation of it"
      }
    }
    return problem(in: directory) { best in
      guard best.epoch == recorded.epoch, best.version == recorded.version else {
        return "best.json names epoch \(best.epoch), version \(best.version), but run.sqlite has "
          + "epoch \(recorded.epoch), version \(recorded.version)"
      }
      return best.files.lazy.compactMap { sizeProblem(of: $0, in: best, directory) }.first
    }
  }

  private static func problem(
    in directory: RunDirectory, _ find: (BestModel) -> String?
  ) -> String? {
    do {
      return find(try read(run: directory.path))
    } catch {
      return "\(error)"
    }
  }

  private static func sizeProblem(
    of file: File, in best: BestModel, _ directory: RunDirectory
  ) -> String? {
    let path = "\(directory.path)/\(best.folder)/\(file.name)"
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let size = attributes?[.size] as? Int else { return "'\(path)' is not there" }
    return size == file.byteCount
      ? nil : "'\(path)' has \(size) bytes, but \(file.byteCount) were written"
  }

  /// Checks that the best model of a run that has ended is the one in its records.
  ///
  /// - Throws: ``RuntimeError`` if not.
  static func checkIsRecorded(_ run: StoredRun, in directory: RunDirectory) throws {
    guard let problem = disagreement(with: run, in: directory) else { return }
    throw RuntimeError(
      exitCode: .inputOutput,
      message: "The run in '\(directory.path)' has ended, but its best model is not the recorded "
        + "one: \(problem). Restore the model from a copy, or start from scratch with --overwrite.")
  }
}
