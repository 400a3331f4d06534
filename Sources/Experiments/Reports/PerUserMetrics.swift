import Checkpoints
import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Runtime
import Settings

/// The metrics of every user by the best model of a run, computed from its saved vectors.
package struct PerUserMetrics: Sendable, Equatable {
  package let valid: UserMetrics
  package let test: UserMetrics

  package init(valid: UserMetrics, test: UserMetrics) {
    self.valid = valid
    self.test = test
  }

  package func metrics(_ split: Split) -> UserMetrics {
    switch split {
    case .valid: valid
    case .test: test
    }
  }

  /// Ranks all items for all users by the vectors of a run's best model, and writes the values into
  /// the model's folder as `per_user.tsv`.
  ///
  /// Their means are those of `summary.json`; on the same type of processor they have the same
  /// bits. A run that was evaluated on a sample has estimates of them there.
  ///
  /// - Parameter dataFolder: where the data lies, if it has moved.
  /// - Throws: errors with a sentence when the run has no model, the data has changed, or the means
  ///   are not those of the run.
  package static func compute(run: String, dataFolder: String? = nil) throws -> PerUserMetrics {
    let ranking = try SavedRanking(run: run, dataFolder: dataFolder)
    let metrics = try ranking.evaluate(
      Split.allCases.map {
        EvaluationSplit(name: $0.rawValue, truth: ranking.truth($0))
      })
    let result = PerUserMetrics(valid: metrics[0], test: metrics[1])
    try result.check(
      against: RunResult(run: run), blockSize: ranking.configuration.cluster.evaluationBlockUsers,
      run: run)
    // The file only saves time later, so runs on a read-only disk can be compared too.
    try? DurableFile.write(Array(result.text.utf8), to: path(of: ranking.model, run: run))
    return result
  }

  /// Reads the values computed before, or computes them.
  ///
  /// - Throws: as ``compute(run:dataFolder:)``; ``ExperimentError`` with the line if the file is
  ///   damaged.
  package static func load(run: String, dataFolder: String? = nil) throws -> PerUserMetrics {
    let path = path(of: try BestModel.read(run: run), run: run)
    guard let bytes = try? PlainFile.contents(of: path, atMost: Self.largestFile),
      let text = String(validating: bytes, as: UTF8.self)
    else {
      return try compute(run: run, dataFolder: dataFolder)
    }
    let result = try PerUserMetrics(text: text, path: path)
    try result.check(against: RunResult(run: run), blockSize: .max, run: run)
    return result
  }

  /// The most bytes that are read; a user takes less than a hundred.
  private static let largestFile = 1 << 30

  static func path(of model: BestModel, run: String) -> String {
    "\(run)/\(model.folder)/per_user.tsv"
  }

  /// The largest difference between a mean and the run's own, relative to it if it is above 1:
  /// processors round scores differently, and then items of nearly equal scores swap ranks.
  private static let tolerance = 1e-4
  /// How many standard errors the estimate of a sample may be off.
  private static let sampleTolerance = 6.0

  private func check(against result: RunResult, blockSize: Int, run: String) throws {
    for split in Split.allCases {
      // A split without users has no means.
      if metrics(split).users.isEmpty, result.values(split).isEmpty { continue }
      let errors = result.standardErrors[split.rawValue]
      let means = metrics(split).means(blockSize: blockSize)
      for (name, mean) in means {
        let expected = result.value(name, split)
        // A sample in which all users have the same value says nothing of its precision.
        if let errors, errors[name] ?? 0 == 0, expected != nil { continue }
        let tolerance =
          Self.tolerance * max(1, expected ?? 0) + Self.sampleTolerance * (errors?[name] ?? 0)
        guard let expected, abs(expected - mean) <= tolerance else {
          throw ExperimentError(
            .dataMalformed,
            "Cannot use the metrics per user of '\(run)': their mean of \(split.rawValue) \(name) "
              + "is \(mean), but summary.json has \(expected.map { "\($0)" } ?? "none"): the "
              + "model's files or the data have changed. Delete per_user.tsv, or train again.")
        }
      }
    }
  }
}

/// `per_user.tsv`: a header `split user recall@5 …`, then one line per user of a split, validation
/// first, users ascending, numbers unrounded.
extension PerUserMetrics {
  var text: String {
    var lines = [(["split", "user"] + valid.names).joined(separator: "\t")]
    for metrics in [valid, test] {
      for (position, user) in metrics.users.enumerated() {
        lines.append(
          ([metrics.split, "\(user)"] + metrics.row(position).map { "\($0)" })
            .joined(separator: "\t"))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// - Parameter path: of the text, for errors.
  /// - Throws: ``ExperimentError`` with the first invalid line.
  init(text: String, path: String) throws {
    let lines = text.split(separator: "\n")
    func damage(_ index: Int, _ problem: String) -> ExperimentError {
      ExperimentError(
        .dataMalformed,
        "Cannot read '\(path)', line \(index + 1): \(problem). Delete the file; it is computed "
          + "again.")
    }
    let header = lines.first?.split(separator: "\t").map(String.init) ?? []
    let names = Array(header.dropFirst(2))
    guard header.prefix(2) == ["split", "user"], !names.isEmpty, Set(names).count == names.count
    else { throw damage(0, "expected the names of the columns") }
    var metrics = Dictionary(
      uniqueKeysWithValues: Split.allCases.map {
        ($0, UserMetrics(split: $0.rawValue, names: names))
      })
    for (index, line) in lines.enumerated().dropFirst() {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard cells.count == header.count, let split = Split(rawValue: String(cells[0])),
        let user = Int(cells[1]), user > metrics[split]?.users.last ?? -1
      else {
        throw damage(index, "expected a split, a user above the last, and \(names.count) numbers")
      }
      let values = cells.dropFirst(2).compactMap { Double($0) }
      guard values.count == names.count, values.allSatisfy(\.isFinite) else {
        throw damage(index, "expected \(names.count) numbers")
      }
      metrics[split]?.append(user: user, values)
    }
    guard let valid = metrics[.valid], let test = metrics[.test] else {
      throw damage(0, "expected two splits")
    }
    self.init(valid: valid, test: test)
  }
}
