import Foundation

/// What reading every byte of a run's best model shows.
public struct BestModelVerification: Sendable, Equatable, Encodable {
  /// Relative to the run directory; nil if `best.json` cannot be read.
  public let model: String?
  /// Of the model, whose bytes are known.
  public let files: Int
  /// Of these files, as they were written.
  public let bytes: Int
  /// What is wrong; empty: nothing.
  public let problems: [String]

  /// nil if the run has no best model yet.
  init?(run: String) {
    guard
      FileManager.default.fileExists(atPath: BestModel.path(run)) || Self.hasBestEpoch(run)
    else { return nil }
    do {
      self = try BestModel.using(run: run) { best in
        let found = Self(best, run: run)
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

  /// Something is wrong with a model, which may be the best no more.
  private struct Problems: Error {
    let found: BestModelVerification
  }

  private init(_ best: BestModel, run: String) {
    model = best.folder
    files = best.files.count
    bytes = best.files.reduce(0) { $0 &+ $1.byteCount }
    problems = best.files.compactMap { file in
      do {
        try best.check(file, run: run)
        return nil
      } catch { return "\(error)" }
    }
  }

  /// Whether the run has ended and says that it has a best model.
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

  /// One line, or one for everything that is wrong.
  var lines: [String] {
    let name = "best model" + (model.map { ", \($0)" } ?? "")
    if !problems.isEmpty { return problems.map { "\(name): \($0)" } }
    return ["\(name): good, \(bytes) bytes in \(files) files"]
  }
}
