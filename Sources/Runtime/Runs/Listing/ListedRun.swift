import Configuration
import Files
import Foundation
import Recommenders
import Settings

/// One run as its files show it. Nothing is written and no database is opened: the run may be of
/// another release, of another user, and training.
package struct ListedRun: Sendable, Encodable {
  package struct Metric: Sendable, Encodable {
    /// Such as `recall@20`, on validation.
    package let name: String
    package let value: Double
    package let epoch: Int
  }

  package let folder: String
  package let state: RunState
  package let name: String?
  package let owner: String?
  package let labels: [String: String]
  package let model: String?
  /// The folder of the data set.
  package let data: String?
  /// The last epoch, from 0.
  package let epoch: Int?
  package let best: Metric?
  /// ISO 8601, UTC.
  package let started: String?
  /// Of the last start.
  package let host: String?
  package let commandLine: [String]?
  /// That trains the run on this machine, or that its lock names.
  package let process: Int32?
  /// Seconds since the first start.
  package let age: Double?
  /// Seconds since an epoch was recorded.
  package let sinceEpoch: Double?
  /// How the run ended.
  package let message: String?
  /// Why something above is missing.
  package let problem: String?

  enum CodingKeys: String, CodingKey {
    case folder, state, name, owner, labels, model, data, epoch, best, started, host, process,
      message, problem
    case commandLine = "command_line"
    case age = "age_seconds"
    case sinceEpoch = "since_epoch_seconds"
  }

  /// Whether a folder looks like that of a run that was started.
  static func isRun(_ folder: String) -> Bool {
    let directory = RunDirectory(existing: folder)
    return [directory.environmentPath, directory.storePath].contains {
      FileManager.default.fileExists(atPath: $0)
    }
  }

  /// Reads the files of a run. What is missing or damaged is left out.
  init(folder: String, at now: Date) {
    self.folder = folder
    let directory = RunDirectory(existing: folder)
    let environment = Self.decode(RunEnvironment.self, directory.environmentPath)
    let configuration = Self.configuration(directory)
    let ending = Self.decode(Ending.self, directory.summaryPath)
    name = environment?.name
    owner = environment?.owner
    labels = environment?.labels ?? [:]
    model = configuration.value?.model.model ?? ending?.model
    data = configuration.value?.data.folder
    problem = configuration.problem
    started = environment?.started
    host = environment?.resumed?.last?.host ?? environment?.host
    commandLine = environment?.resumed?.last?.commandLine ?? environment?.commandLine
    let metric = configuration.value?.selection.metric.yaml
    let progress = RunProgressRecord(path: directory.metricsPath, metric: metric)
    epoch = progress.epoch
    best = progress.best.map { Metric(name: metric ?? "", value: $0.value, epoch: $0.epoch) }
    age = environment.flatMap { try? Date($0.started, strategy: .iso8601) }
      .map { max(0, now.timeIntervalSince($0)) }
    sinceEpoch = Self.modified(directory.metricsPath).map { max(0, now.timeIntervalSince($0)) }
    // A summary that is older than the last start is of an earlier one. A start after the end
    // trains nothing.
    let lastStart = (environment?.resumed?.last?.started ?? environment?.started)
      .flatMap { try? Date($0, strategy: .iso8601) }
    // Starts are recorded in whole seconds, so that within one the files' times decide. These alone
    // would not do: a copy of the folder has others.
    let written = Self.modified(directory.summaryPath)
    let recorded = Self.modified(directory.environmentPath)
    let isOld =
      if let written, let recorded, let lastStart {
        written < recorded && written < lastStart.addingTimeInterval(1)
      } else {
        false
      }
    let ended = ending?.state.flatMap { isOld && !$0.isFinished ? nil : $0 }
    state = RunState(inFolder: folder, ended: ended)
    process = state == .running ? RunLockHolder(ofRunIn: folder).processID : nil
    message = state == ended ? ending?.message : nil
  }

  /// The keys of `summary.json` that matter here.
  private struct Ending: Decodable {
    var model: String?
    var outcome: String
    var message: String?

    var state: RunState? {
      RunState(rawValue: outcome).flatMap { $0.isOver && $0 != .dead ? $0 : nil }
    }
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) -> Value? {
    guard let bytes = try? PlainFile.contents(of: path, atMost: 16 << 20) else { return nil }
    return try? JSONDecoder().decode(type, from: Data(bytes))
  }

  /// The settings of a run; of another release they may not be readable.
  private static func configuration(
    _ directory: RunDirectory
  ) -> (value: RunConfiguration?, problem: String?) {
    do {
      let layer = try ConfigurationLayer(file: directory.configurationPath)
      return (
        try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(layers: [layer]), nil
      )
    } catch {
      return (nil, "\(error)")
    }
  }

  private static func modified(_ path: String) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
  }
}
