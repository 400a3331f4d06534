import Coordination
import Foundation

extension BestModel {
  /// Compares a run's best model with its records, without reading the model's files.
  ///
  /// - Returns: what is not as the records say; nil if all is.
  static func disagreement(with run: StoredRun, in directory: RunDirectory) -> String? {
    let standing = run.standing
    guard let recorded = standing.best, standing.isBestSaved else {
      // One that was saved last and is not recorded yet, or the one before it.
      guard FileManager.default.fileExists(atPath: path(directory.path)) else { return nil }
      return problem(in: directory) { best in
        let isEvaluated = run.evaluations.contains {
          $0.epoch == best.epoch && $0.version == best.version
        }
        return isEvaluated
          ? nil : "best.json names epoch \(best.epoch), and run.sqlite has no evaluation of it"
      }
    }
    return problem(in: directory) { best in
      guard best.epoch == recorded.epoch, best.version == recorded.version else {
        return "best.json names epoch \(best.epoch), version \(best.version), and run.sqlite epoch "
          + "\(recorded.epoch), version \(recorded.version)"
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
      ? nil : "'\(path)' has \(size) bytes, and \(file.byteCount) were written"
  }

  /// Looks whether the best model of a run that is over is the one that its records name.
  ///
  /// - Throws: ``RuntimeError`` if not.
  static func checkIsRecorded(_ run: StoredRun, in directory: RunDirectory) throws {
    guard let problem = disagreement(with: run, in: directory) else { return }
    throw RuntimeError(
      exitCode: .inputOutput,
      message: "The run in '\(directory.path)' is over, and its best model is not what its records "
        + "say: \(problem). Restore the model from a copy, or train anew with --overwrite.")
  }
}
