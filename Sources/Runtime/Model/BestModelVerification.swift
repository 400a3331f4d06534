import Foundation

/// What reading every byte of a run's best model shows.
public struct BestModelVerification: Sendable, Equatable, Encodable {
  /// Relative to the run directory; nil if `best.json` cannot be read.
  public let model: String?
  /// Of the model.
  public let files: Int
  /// Of these files, as they were written.
  public let bytes: Int
  /// What is wrong; empty: nothing.
  public let problems: [String]

  /// nil if the run has no best model yet.
  init?(run: String) {
    guard FileManager.default.fileExists(atPath: BestModel.path(run)) else { return nil }
    var found = Self(looking: run)
    // A run that is training replaces its best model, and deletes the one before.
    for _ in 0..<Self.mostLooks where !found.problems.isEmpty {
      let again = Self(looking: run)
      if again == found { break }
      found = again
    }
    self = found
  }

  private static let mostLooks = 5

  private init(looking run: String) {
    do {
      let best = try BestModel.read(run: run)
      model = best.folder
      files = best.files.count
      bytes = best.files.reduce(0) { $0 &+ $1.byteCount }
      problems = best.files.compactMap { file in
        do {
          try best.check(file, run: run)
          return nil
        } catch { return "\(error)" }
      }
    } catch {
      (model, files, bytes) = (nil, 0, 0)
      problems = ["\(error)"]
    }
  }

  /// One line, or one for everything that is wrong.
  var lines: [String] {
    let name = "best model" + (model.map { ", \($0)" } ?? "")
    return problems.isEmpty
      ? ["\(name): good, \(bytes) bytes in \(files) files"] : problems.map { "\(name): \($0)" }
  }
}
