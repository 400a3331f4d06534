import Recommenders
import Runtime

/// Metric names given by users.
enum MetricNames {
  /// The selection metric, then NDCG at the same cutoff.
  static func standard(_ selection: String) -> [String] {
    let cutoff = selection.split(separator: "@").last.flatMap { Int($0) } ?? 20
    let ndcg = Metric.ndcg.name(at: cutoff)
    return selection == ndcg ? [selection] : [selection, ndcg]
  }

  /// Lower case, each once, in the order given.
  static func normalized(_ metrics: [String]) -> [String] {
    metrics.map { $0.lowercased() }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Whether single users have a value of a metric.
  static func isPerUser(_ metric: String) -> Bool { Metric.ofValue(metric)?.isPerUser ?? true }

  /// Checks that every result has the metrics.
  ///
  /// - Throws: ``ExperimentError`` with the metrics that the results have.
  static func check(
    _ metrics: [String], in results: [RunResult], split: Split = .test
  ) throws {
    for result in results {
      let values = result.values(split)
      guard !values.isEmpty else {
        throw ExperimentError(
          .dataMalformed,
          "Cannot show \(split.rawValue) metrics: a run has none, because its data has no rows of "
            + "that split for users with training rows.")
      }
      for metric in metrics where values[metric] == nil {
        throw ExperimentError(
          .usage,
          "Cannot show '\(metric)' (--metric): the runs have "
            + "\(Metric.sorted(values.keys).joined(separator: ", ")).")
      }
    }
  }
}
