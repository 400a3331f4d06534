import Files
import Foundation
import Runtime

/// The result of a run, from its `summary.json`.
package struct RunResult: Sendable, Equatable {
  package var model: String
  package var dataset: String
  /// Nil when no epoch was evaluated and saved.
  package var bestEpoch: Int?
  package var epochsRun: Int
  package var parameterCount: Int
  /// Metrics of the best epoch, unrounded, such as `recall@20`.
  package var valid: [String: Double]
  package var test: [String: Double]
  /// Standard errors of the metrics by split, if they were measured on some users only.
  package var standardErrors: [String: [String: Double]]
  /// `total`, `train`, `evaluate`.
  package var seconds: [String: Double]

  package init(
    model: String, dataset: String, bestEpoch: Int?, epochsRun: Int, parameterCount: Int,
    valid: [String: Double], test: [String: Double], seconds: [String: Double],
    standardErrors: [String: [String: Double]] = [:]
  ) {
    self.model = model
    self.dataset = dataset
    self.bestEpoch = bestEpoch
    self.epochsRun = epochsRun
    self.parameterCount = parameterCount
    self.valid = valid
    self.test = test
    self.seconds = seconds
    self.standardErrors = standardErrors
  }

  /// A metric of the best epoch.
  package func value(_ metric: String, _ split: Split) -> Double? { values(split)[metric] }

  /// All metrics of the best epoch on a split; empty if the split had no users.
  func values(_ split: Split) -> [String: Double] {
    switch split {
    case .valid: valid
    case .test: test
    }
  }
}

/// The part of the data that a metric was measured on.
package enum Split: String, Sendable, Codable, CaseIterable {
  case valid
  case test
}

extension RunResult {
  /// Reads the result of a run.
  ///
  /// - Throws: ``ExperimentError`` when the folder holds no finished run.
  package init(run: String) throws {
    let directory = RunDirectory(existing: run)
    let path = directory.summaryPath
    let bytes: [UInt8]
    do {
      bytes = try RunSummary.contents(in: directory)
    } catch {
      throw ExperimentError(
        .inputMissing,
        error.isMissing
          ? "Cannot read the result of '\(run)': there is no summary.json. Name the directory of a "
            + "run that has ended, or of a sweep."
          : "Cannot read '\(path)': \(error.reason). Name the directory of a run that has ended.")
    }
    do {
      self = try JSONDecoder().decode(Summary.self, from: Data(bytes)).result
    } catch {
      throw ExperimentError(
        .dataMalformed,
        "Cannot read '\(path)': it is damaged or of another release. Train the run again.")
    }
  }

  /// The keys of `summary.json` that matter here. NaN and infinities are null there.
  private struct Summary: Decodable {
    var model: String
    var dataset: String
    var best_epoch: Int?
    var epochs_run: Int
    var parameter_count: Int
    var valid: [String: Double?]
    var test: [String: Double?]
    var seconds: [String: Double]
    var standard_error: [String: [String: Double?]]?

    var result: RunResult {
      RunResult(
        model: model, dataset: dataset, bestEpoch: best_epoch, epochsRun: epochs_run,
        parameterCount: parameter_count, valid: valid.compactMapValues { $0 },
        test: test.compactMapValues { $0 }, seconds: seconds,
        standardErrors: (standard_error ?? [:]).mapValues { $0.compactMapValues { $0 } })
    }
  }
}
