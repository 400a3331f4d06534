import Checkpoints
import Datasets
import Evaluation
import Files
import Foundation
import Models
import RunConfiguration
import Runtime
import Settings

/// The metrics of every user by the best model of a run, ranked again from the saved vectors.
public struct PerUserMetrics: Sendable, Equatable {
  public let valid: UserMetrics
  public let test: UserMetrics

  public init(valid: UserMetrics, test: UserMetrics) {
    self.valid = valid
    self.test = test
  }

  public func metrics(_ split: Split) -> UserMetrics {
    switch split {
    case .valid: valid
    case .test: test
    }
  }

  /// Ranks all items for all users by the vectors of a run's best model, and writes the values
  /// beside them as `per_user.tsv`.
  ///
  /// Their means are those of `summary.json`, bit for bit where the same processor computes both.
  ///
  /// - Parameter dataFolder: where the data lies, if it has moved.
  /// - Throws: errors with a sentence when the run has no model, the data is another one, or the
  ///   means are not those of the run.
  public static func compute(run: String, dataFolder: String? = nil) throws -> PerUserMetrics {
    let model = try BestModel.read(run: run)
    let request = RunRequest(
      data: dataFolder,
      configurationFiles: [RunDirectory(existing: run).configurationPath])
    let input = try request.input(request.requestedLayers())
    let configuration = input.configuration
    let dataset = input.dataset
    let metrics = try FullRanking(
      cutoffs: configuration.selection.cutoffs, metrics: configuration.metrics
    ).evaluateEachUser(
      userMatrix: model.vectors(.user, run: run), firstUser: 0,
      itemMatrix: model.vectors(.item, run: run), trainMask: dataset.train,
      splits: [
        EvaluationSplit(name: Split.valid.rawValue, truth: dataset.valid),
        EvaluationSplit(name: Split.test.rawValue, truth: dataset.test),
      ])
    let result = PerUserMetrics(valid: metrics[0], test: metrics[1])
    try result.check(
      against: RunResult(run: run), blockSize: configuration.cluster.evaluationBlockUsers,
      run: run)
    // Only to be faster the next time: runs on a disk that cannot be written to are compared too.
    try? DurableFile.write(Array(result.text.utf8), to: path(of: model, run: run))
    return result
  }

  /// Reads what was computed before, or computes it.
  ///
  /// - Throws: as ``compute(run:dataFolder:)``; ``ExperimentError`` with the line if the file is
  ///   damaged.
  public static func load(run: String, dataFolder: String? = nil) throws -> PerUserMetrics {
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

  /// Bytes that the file has at most; a user takes less than a hundred.
  private static let largestFile = 1 << 30

  static func path(of model: BestModel, run: String) -> String {
    "\(run)/\(model.folder)/per_user.tsv"
  }

  /// How far a mean may be from the run's, relative to it if it is above 1: processors round scores
  /// differently, and then items of nearly equal scores swap ranks.
  private static let tolerance = 1e-4

  private func check(against result: RunResult, blockSize: Int, run: String) throws {
    for split in Split.allCases {
      // Of a part of the data without users there are no means.
      if metrics(split).users.isEmpty, result.values(split).isEmpty { continue }
      let means = metrics(split).means(blockSize: blockSize)
      for (name, mean) in means {
        let expected = result.value(name, split)
        guard let expected, abs(expected - mean) <= Self.tolerance * max(1, expected) else {
          throw ExperimentError(
            .dataMalformed,
            "Cannot use the users' metrics of '\(run)': their mean of \(split.rawValue) \(name) is "
              + "\(mean), but summary.json says \(expected.map { "\($0)" } ?? "nothing"); the "
              + "model's files or the data have changed. Delete per_user.tsv, or train again.")
        }
      }
    }
  }
}
