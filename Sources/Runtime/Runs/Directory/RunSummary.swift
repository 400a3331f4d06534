import Coordinator
import Datasets
import Files
import Foundation
import Protocol
import Recommenders

/// `summary.json`: the result of a run, for scripts. Numbers are unrounded.
package struct RunSummary: Sendable, Equatable {
  /// Raised when a key changes its meaning or is removed.
  package static let schemaVersion = 1

  /// What the coordinator's records do not contain.
  package struct Details: Sendable, Equatable {
    package var model: String
    package var dataset: String
    /// How the data set was made, its split among it; empty if its folder does not say so.
    package var dataHistory: DatasetHistory
    package var seed: UInt64
    /// Trainable numbers of the model, auxiliary networks included.
    package var parameterCount: UInt64
    package var selection: SelectionRule
    /// Wall time from the start of the program.
    package var totalSeconds: Double

    package init(
      model: String, dataset: String, dataHistory: DatasetHistory = DatasetHistory(), seed: UInt64,
      parameterCount: UInt64, selection: SelectionRule, totalSeconds: Double
    ) {
      self.model = model
      self.dataset = dataset
      self.dataHistory = dataHistory
      self.seed = seed
      self.parameterCount = parameterCount
      self.selection = selection
      self.totalSeconds = totalSeconds
    }
  }

  package var details: Details
  package var run: StoredRun
  /// Processor time and energy; nil if they were not counted.
  package var usage: RunUsage?

  package init(details: Details, run: StoredRun, usage: RunUsage? = nil) {
    self.details = details
    self.run = run
    self.usage = usage
  }

  /// The evaluation of the best epoch whose model is saved.
  package var bestEvaluation: EvaluationSummary? {
    let saved = run.progress.isBestSaved ? run.progress.best : nil
    return saved.flatMap { best in run.evaluations.first { $0.epoch == best.epoch } }
  }

  /// Of all gradients of the run; nil in `bsp`, where rows are never stale.
  package var staleness: StalenessCounts? {
    let epochs = run.epochs.compactMap { StalenessCounts($0.values) }
    return epochs.dropFirst().reduce(into: epochs.first) { $0?.add($1) }
  }

  /// Metrics of the best epoch in a split, such as `recall@20`.
  package func metrics(of split: String) -> [String: Double] {
    var metrics: [String: Double] = [:]
    for (name, value) in bestEvaluation?.metrics ?? [:] where name.hasPrefix("\(split).") {
      metrics[String(name.dropFirst(split.count + 1))] = value
    }
    return metrics
  }

  /// Metrics of the best epoch in the groups of a split: of users, then of items, ascending; empty
  /// if groups were not measured.
  package func groups(of split: String) -> [GroupSummary] {
    guard let evaluation = bestEvaluation else { return [] }
    let groups = evaluation.users.keys.compactMap { MeasuredGroup(name: $0) }
      .filter { $0.split == split }
      .sorted {
        ($0.group.kind.rawValue, -$0.group.fewest) > ($1.group.kind.rawValue, -$1.group.fewest)
      }
    return groups.map { measured in
      GroupSummary(
        group: measured.group, userCount: Int(evaluation.users[measured.name] ?? 0),
        metrics: metrics(of: measured.name))
    }
  }
}

extension RunSummary: Encodable {
  private enum Key: String, CodingKey {
    case staleness
    case schemaVersion = "schema_version"
    case runID = "run_id"
    case created, model, dataset, seed, outcome, message, selection, valid, test, seconds, groups
    case usage
    case standardError = "standard_error"
    case dataHistory = "data_history"
    case deliveries = "data_deliveries"
    case parameterCount = "parameter_count"
    case epochsRun = "epochs_run"
    case bestEpoch = "best_epoch"
  }

  private enum StalenessKey: String, CodingKey { case mean, max }

  private enum SelectionKey: String, CodingKey {
    case metric, patience, rounding, rule
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.schemaVersion, forKey: .schemaVersion)
    try container.encode(run.identity.id, forKey: .runID)
    try container.encode(run.identity.created, forKey: .created)
    try container.encode(details.model, forKey: .model)
    try container.encode(details.dataset, forKey: .dataset)
    try container.encode(details.dataHistory, forKey: .dataHistory)
    // Of a run whose data has grown: metrics are on the last one, and no comparison with earlier
    // ones.
    if run.deliveries.count > 1 {
      try container.encode(run.deliveries, forKey: .deliveries)
    }
    try container.encode(details.seed, forKey: .seed)
    try container.encode(details.parameterCount, forKey: .parameterCount)
    try container.encode(Self.words(for: run.progress.status), forKey: .outcome)
    try container.encode(run.message, forKey: .message)
    try container.encode(run.progress.epochsFinished, forKey: .epochsRun)
    // `null` if there is none.
    try container.encode(bestEvaluation?.epoch, forKey: .bestEpoch)
    try container.encode(ResultJSON.numbers(metrics(of: "valid")), forKey: .valid)
    try container.encode(ResultJSON.numbers(metrics(of: "test")), forKey: .test)
    let groups = ["valid", "test"].map { ($0, self.groups(of: $0)) }.filter { !$0.1.isEmpty }
    if !groups.isEmpty {
      try container.encode(Dictionary(uniqueKeysWithValues: groups), forKey: .groups)
    }
    let errors = ["valid", "test"].map {
      ($0, ResultJSON.numbers(metrics(of: SampleSplit.standardError(of: $0))))
    }.filter { !$0.1.isEmpty }
    if !errors.isEmpty {
      try container.encode(Dictionary(uniqueKeysWithValues: errors), forKey: .standardError)
    }
    try container.encode(seconds, forKey: .seconds)
    try container.encodeIfPresent(usage, forKey: .usage)
    if let staleness {
      var counts = container.nestedContainer(keyedBy: StalenessKey.self, forKey: .staleness)
      try counts.encode(staleness.mean, forKey: .mean)
      try counts.encode(staleness.greatest, forKey: .max)
    }
    var rule = container.nestedContainer(keyedBy: SelectionKey.self, forKey: .selection)
    try rule.encode(details.selection.metric, forKey: .metric)
    try rule.encode(details.selection.patience, forKey: .patience)
    try rule.encode(details.selection.rounding == .none ? "none" : "4 decimals", forKey: .rounding)
    try rule.encode(details.selection.summary, forKey: .rule)
  }

  private var seconds: [String: Double] {
    [
      "total": details.totalSeconds,
      "train": run.epochs.reduce(0) { $0 + $1.seconds },
      "evaluate": run.evaluations.reduce(0) { $0 + $1.seconds },
    ]
  }

  private static func words(for status: RunStatus) -> String {
    status == .earlyStopped ? "early_stopped" : status.rawValue
  }

  /// Whether a directory's summary exists and has this outcome.
  static func isWritten(_ status: RunStatus, in directory: RunDirectory) -> Bool {
    struct Outcome: Decodable { var outcome: String }
    guard let bytes = try? contents(in: directory),
      let written = try? JSONDecoder().decode(Outcome.self, from: Data(bytes))
    else { return false }
    return written.outcome == words(for: status)
  }

  /// The bytes of a run's summary.
  package static func contents(in directory: RunDirectory) throws(FileProblem) -> [UInt8] {
    try PlainFile.contents(of: directory.summaryPath, atMost: 16 << 20)
  }
}
