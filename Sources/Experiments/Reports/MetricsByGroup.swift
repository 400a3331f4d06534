import Datasets
import Recommenders
import Tensors

/// The metrics of every user by the best model of a run, in groups of users by activity and of
/// items by popularity.
///
/// A group of users has those users' metrics. A group of items has the metrics of the users with
/// held-out items in the group, *with these items alone as the truth*: recall is the share of the
/// user's held-out items of the group that are in the user's list, which ranks all items as ever.
package struct MetricsByGroup: Sendable {
  /// The groups of users, then those of items, ascending.
  package let groups: [InteractionGroup]
  /// No users.
  private let none: UserMetrics
  private let metrics: [InteractionGroup: UserMetrics]

  /// Ranks all items for all users by the vectors of a run's best model.
  ///
  /// - Parameter dataFolder: where the data lies, if it has moved.
  /// - Throws: errors with a sentence when the run has no model or the data has changed.
  package static func compute(
    run: String, split: Split, dataFolder: String? = nil
  ) throws -> MetricsByGroup {
    let ranking = try SavedRanking(run: run, dataFolder: dataFolder)
    let parts = EvaluationSplit(name: split.rawValue, truth: ranking.truth(split))
      .groups(train: ranking.dataset.train, modalities: ranking.dataset.modalityCounts)
    let metrics = try ranking.evaluate(parts.map(\.split))
    return MetricsByGroup(
      groups: parts.map(\.group),
      none: UserMetrics(split: split.rawValue, names: metrics.first?.names ?? []),
      metrics: Dictionary(uniqueKeysWithValues: zip(parts.map(\.group), metrics)))
  }

  /// The metrics of the users of a group; none if it is a group of another run's data.
  package func metrics(of group: InteractionGroup) -> UserMetrics {
    metrics[group] ?? none
  }

  /// Whether a metric such as `recall@20` can be taken within groups of items: those that are
  /// computed from a user's hits.
  static func includes(_ metric: String) -> Bool { Metric.ofValue(metric)?.isOfHits ?? false }
}
