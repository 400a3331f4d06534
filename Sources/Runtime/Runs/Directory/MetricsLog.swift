import Checkpoints
import Coordinator

/// `metrics.jsonl`: one JSON object per epoch, on one line, readable during the run.
///
///     {"epoch":3,"loss":{"total":0.41},"seconds":{"evaluate":1.2,"train":0.9},
///      "valid":{"recall@20":0.09},"version":232}
///
/// Losses and statistics are means over the steps, metrics means over the users, all unrounded.
package final class MetricsLog: Sendable {
  private let path: String
  private let file: FileDescriptor
  private let identity: FileIdentity?

  /// Opens the file for appending, creating it if needed.
  package init(path: String) throws {
    self.path = path
    file = try FileDescriptor(path, .append, purpose: "write the metrics '\(path)'")
    identity = FileIdentity(path: path)
  }

  /// Whether the path still leads to the file that lines are appended to.
  var isInPlace: Bool { identity?.isAt(path) ?? false }

  /// Rewrites the file from the store of a resumed run: a crash may have left it incomplete.
  ///
  /// - Returns: the last epoch if it is not evaluated yet; it has no line then.
  static func rewrite(
    _ path: String, as run: StoredRun, plan: RunPlan
  ) throws -> EpochSummary? {
    let evaluations = Dictionary(
      run.evaluations.map { ($0.epoch, $0) }, uniquingKeysWith: { _, last in last })
    var bytes: [UInt8] = []
    var pending: EpochSummary?
    for epoch in run.epochs {
      let evaluation = evaluations[epoch.epoch]
      if evaluation == nil, plan.isEvaluationDue(afterEpoch: epoch.epoch) {
        pending = epoch
      } else {
        bytes += try line(of: epoch, evaluation: evaluation)
      }
    }
    try DurableFile.write(bytes, to: path)
    return pending
  }

  /// Appends the line of an epoch and waits until it is on disk: once the run is recorded as
  /// finished, the file is not written again. `evaluation` is nil if the epoch was not evaluated.
  package func append(_ epoch: EpochSummary, evaluation: EvaluationSummary?) throws {
    let line = try Self.line(of: epoch, evaluation: evaluation)
    try file.writeAll(line, purpose: "write the metrics '\(path)'")
    try file.synchronize(purpose: "write the metrics '\(path)'")
  }

  /// The line of an epoch, with its newline.
  static func line(
    of epoch: EpochSummary, evaluation: EvaluationSummary?
  ) throws -> [UInt8] {
    try ResultJSON.encode(Line(epoch: epoch, evaluation: evaluation), isPretty: false)
  }

  private struct Line: Encodable {
    var epoch: EpochSummary
    var evaluation: EvaluationSummary?

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(epoch.epoch, forKey: Key(stringValue: "epoch"))
      try container.encode(epoch.version, forKey: Key(stringValue: "version"))
      var seconds = ["train": ResultJSON.Number(value: epoch.seconds)]
      var groups = ResultJSON.grouped(epoch.values, rest: "sum")
      if let evaluation {
        seconds["evaluate"] = ResultJSON.Number(value: evaluation.seconds)
        groups.merge(ResultJSON.grouped(evaluation.metrics, rest: "metric")) { $1 }
      }
      try container.encode(seconds, forKey: Key(stringValue: "seconds"))
      for (group, values) in groups {
        try container.encode(values, forKey: Key(stringValue: group))
      }
    }
  }

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
