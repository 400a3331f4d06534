internal import Configuration
internal import Experiments
internal import Files
internal import Foundation
internal import Recommenders
internal import Runtime
internal import Settings

/// What the files of a run say of it, whether it has ended or not. Nothing of the run is changed,
/// and its data is not read.
struct RunRecords: Sendable {
  let path: String
  let configuration: RunConfiguration
  /// The sources of the settings' values, by name, as the run recorded them.
  let sources: [String: String]
  /// Nil if the run recorded none.
  let environment: RunEnvironment?
  let epochs: [EpochRecord]
  /// Nil while the run is not over, or if it ended without writing its result.
  let ending: Ending?
  /// The epoch whose model is saved as the best; nil if there is none yet.
  let bestEpoch: Int?
  /// Metrics of the best epoch.
  let valid: [String: Double]
  /// Metrics of the best epoch.
  let test: [String: Double]

  /// What `summary.json` says.
  struct Ending: Sendable {
    let result: RunResult
    let outcome: String
    let message: String
    let created: String
    /// How the best epoch was chosen.
    let rule: String
    /// Processor time and energy; nil if a release before these were recorded wrote the summary.
    let usage: RunUsage.Recorded?
  }

  /// - Throws: errors with a sentence when the folder holds no run, or a record is damaged.
  init(run path: String) throws {
    self.path = path
    let directory = RunDirectory(existing: path)
    guard FileManager.default.fileExists(atPath: directory.configurationPath) else {
      throw ReportError(
        .inputMissing,
        "Cannot report on '\(path)': it holds no run, because there is no config.resolved.yaml. "
          + "Name the directory of a run, or of a sweep.")
    }
    configuration = try ComparedRun.configuration(ofRun: path)
    sources = Self.sources(in: directory)
    environment = try Self.environment(of: path)
    epochs = try EpochRecord.read(directory)
    ending = try Self.ending(of: path, in: directory)
    if let ending {
      bestEpoch = ending.result.bestEpoch
      (valid, test) = (ending.result.valid, ending.result.test)
    } else {
      let best = (try? BestModel.read(run: path)).map { Int($0.epoch) }
      let record = epochs.last { $0.epoch == best }
      bestEpoch = best
      (valid, test) = (record?.valid ?? [:], record?.test ?? [:])
    }
  }

  /// The comments behind the values of the recorded configuration.
  private static func sources(in directory: RunDirectory) -> [String: String] {
    guard let bytes = try? PlainFile.contents(of: directory.configurationPath, atMost: 1 << 20)
    else { return [:] }
    var sources: [String: String] = [:]
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, !line.hasPrefix("#"),
        let mark = parts[1].ranges(of: "  # ").last
      else { continue }
      sources[String(parts[0])] = String(parts[1][mark.upperBound...])
    }
    return sources
  }

  /// The machine that made a run; nil if it was not recorded.
  ///
  /// - Throws: ``ReportError`` if the record is damaged.
  static func environment(of run: String) throws -> RunEnvironment? {
    let path = RunDirectory(existing: run).environmentPath
    let bytes: [UInt8]
    do {
      bytes = try PlainFile.contents(of: path, atMost: 16 << 20)
    } catch {
      if error.isMissing { return nil }
      throw ReportError(.inputOutput, "Cannot read '\(path)': \(error.reason).")
    }
    guard let environment = try? JSONDecoder().decode(RunEnvironment.self, from: Data(bytes))
    else {
      throw ReportError(
        .dataMalformed,
        "Cannot read '\(path)': it is damaged or of another release. Restore it from a copy, or "
          + "delete it: the report then lacks machine and command.")
    }
    return environment
  }

  private static func ending(of run: String, in directory: RunDirectory) throws -> Ending? {
    struct Summary: Decodable {
      struct Selection: Decodable { var rule: String }

      var outcome: String
      var message: String
      var created: String
      var selection: Selection
      var usage: RunUsage.Recorded?
    }
    let bytes: [UInt8]
    do {
      bytes = try RunSummary.contents(in: directory)
    } catch {
      if error.isMissing { return nil }
      throw ReportError(.inputOutput, "Cannot read '\(directory.summaryPath)': \(error.reason).")
    }
    let result = try RunResult(run: run)
    guard let summary = try? JSONDecoder().decode(Summary.self, from: Data(bytes)) else {
      throw ReportError(
        .dataMalformed,
        "Cannot read '\(directory.summaryPath)': it is damaged or of another release. Train the "
          + "run again.")
    }
    return Ending(
      result: result, outcome: summary.outcome, message: summary.message,
      created: summary.created, rule: summary.selection.rule, usage: summary.usage)
  }

  // MARK: In words

  var model: String { configuration.model.model }

  /// Whether all epochs were trained, or training stopped because nothing improved.
  var isFinished: Bool { ["completed", "early_stopped"].contains(ending?.outcome) }

  /// The metric that selects the best epoch.
  var selectionMetric: String { configuration.value(of: "selection_metric") ?? "recall@20" }

  /// The state of the run as a phrase.
  var state: String {
    let trained =
      epochs.last.map { "trained: \($0.epoch == 0 ? "epoch 0" : "epochs 0 to \($0.epoch)")" }
      ?? "no epoch is finished"
    return switch ending?.outcome {
    case "completed": "all epochs are trained"
    case "early_stopped": "ended because validation did not improve any more; \(trained)"
    case "interrupted": "interrupted before its end; \(trained)"
    case "failed": "failed; \(trained)"
    default: "not finished; \(trained)"
    }
  }

  /// The names of all metrics that the best epoch has, in their order.
  var metricNames: [String] { Metric.sorted(Set(valid.keys).union(test.keys)) }
}
