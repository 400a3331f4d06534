import Foundation

/// Verifies a run's best model by reading every byte.
package struct BestModelVerification: Sendable, Equatable, Encodable {
  /// The model's folder, relative to the run directory; nil if `best.json` cannot be read.
  package let model: String?
  /// The number of the model's files.
  package let files: Int
  /// Of these files, as recorded.
  package let bytes: Int
  /// Empty if nothing is wrong.
  package let problems: [String]

  /// nil if the run has no best model yet.
  ///
  /// - Parameter progress: receives the number of bytes of every part that is read.
  init?(run: String, progress: (Int) -> Void) {
    guard
      FileManager.default.fileExists(atPath: BestModel.path(run)) || Self.hasBestEpoch(run)
    else { return nil }
    do {
      self = try BestModel.using(run: run) { best in
        let found = Self(best, run: run, progress: progress)
        if !found.problems.isEmpty { throw Problems(found: found) }
        return found
      }
    } catch let problems as Problems {
      self = problems.found
    } catch {
      (model, files, bytes) = (nil, 0, 0)
      problems = ["\(error)"]
    }
  }

  /// Thrown for a model with problems, which may have been replaced in the meantime.
  private struct Problems: Error {
    let found: BestModelVerification
  }

  private init(_ best: BestModel, run: String, progress: (Int) -> Void) {
    model = best.folder
    files = best.files.count
    bytes = best.files.reduce(0) { $0 &+ $1.byteCount }
    problems = best.files.compactMap { file in
      do {
        try best.check(file, run: run, progress: progress)
        return nil
      } catch { return "\(error)" }
    }
  }

  /// Whether the run's summary names a best epoch.
  private static func hasBestEpoch(_ run: String) -> Bool {
    struct Summary: Decodable {
      let bestEpoch: Int?
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let bytes = try? RunSummary.contents(in: RunDirectory(existing: run)),
      let summary = try? decoder.decode(Summary.self, from: Data(bytes))
    else { return false }
    return summary.bestEpoch != nil
  }

  /// One line, or one for each problem.
  var lines: [String] {
    let name = "best model" + (model.map { ", \($0)" } ?? "")
    if !problems.isEmpty { return problems.map { "\(name): \($0)" } }
    return ["\(name): good, \(bytes) bytes in \(ProgressFormat.count(files, "file"))"]
  }
}
