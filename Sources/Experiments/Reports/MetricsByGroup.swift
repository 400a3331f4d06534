import Datasets
import Recommenders
import Tensors

/// Users or items whose numbers of training interactions are alike.
///
/// Quartiles: the k-th group ends at the smallest number that at least k quarters of the users (or
/// items) do not exceed. Those with equal numbers are always in one group, so groups may be of
/// different sizes, and fewer than four. Items without training interactions are a group of their
/// own, before the quartiles of the others: to the model they are cold.
///
/// - Source: groups of users by activity as in Wang et al. 2019, "Neural graph collaborative
///   filtering", §4.3.2 (arXiv:1905.08108), of items by popularity as in Wu et al. 2021,
///   "Self-supervised graph learning for recommendation", §4.3.1 (arXiv:2010.10783). Deviation: the
///   papers cut where the sums of interactions are equal, here groups have equally many members.
package struct InteractionGroup: Sendable, Hashable, Encodable {
  package enum Kind: String, Sendable, Encodable {
    case users
    case items
  }

  package let kind: Kind
  /// The fewest training interactions of a member.
  package let fewest: Int
  /// The most training interactions of a member.
  package let most: Int

  package init(kind: Kind, fewest: Int, most: Int) {
    self.kind = kind
    self.fewest = fewest
    self.most = most
  }

  package func includes(_ count: Int) -> Bool { (fewest...most).contains(count) }

  /// `users with 5–9`, or `items with 0`.
  package var name: String {
    "\(kind.rawValue) with \(fewest)" + (most > fewest ? "–\(most)" : "")
  }

  /// The groups of some members, ascending.
  ///
  /// - Parameter counts: the number of training interactions of each.
  package static func quartiles(of counts: [Int], _ kind: Kind) -> [InteractionGroup] {
    var groups: [InteractionGroup] = []
    var sorted = counts.sorted()[...]
    if kind == .items, sorted.first == 0 {
      groups.append(InteractionGroup(kind: kind, fewest: 0, most: 0))
      sorted = sorted.drop { $0 == 0 }
    }
    let all = Array(sorted)
    var first = 0
    for quarter in stride(from: 1, through: 4, by: 1) where !all.isEmpty {
      let last = all[(quarter * all.count + 3) / 4 - 1]
      guard first < all.count, last >= all[first] else { continue }
      groups.append(InteractionGroup(kind: kind, fewest: all[first], most: last))
      first = all.firstIndex { $0 > last } ?? all.count
    }
    return groups
  }
}

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
    let truth = ranking.truth(split)
    let train = ranking.dataset.train
    var popularity = [Int](repeating: 0, count: train.columnCount)
    for item in train.columns { popularity[Int(item)] += 1 }
    let items = InteractionGroup.quartiles(of: popularity, .items)
    // At most five groups of items: ranking counts eight splits at once.
    let metrics = try ranking.evaluate(
      [EvaluationSplit(name: split.rawValue, truth: truth)]
        + items.map { group in
          EvaluationSplit(
            name: group.name, truth: truth.filterColumns { group.includes(popularity[$0]) })
        })
    let users = InteractionGroup.quartiles(of: metrics[0].users.map(train.degree), .users)
    var byGroup = Dictionary(uniqueKeysWithValues: zip(items, metrics.dropFirst()))
    for group in users {
      byGroup[group] = metrics[0].filter { group.includes(train.degree($0)) }
    }
    return MetricsByGroup(
      groups: users + items, none: metrics[0].filter { _ in false }, metrics: byGroup)
  }

  /// The metrics of the users of a group; none if it is a group of another run's data.
  package func metrics(of group: InteractionGroup) -> UserMetrics {
    metrics[group] ?? none
  }

  /// Whether a metric such as `recall@20` can be taken within groups of items: those that count a
  /// user's hits.
  static func includes(_ metric: String) -> Bool {
    Metric.ofValue(metric).map { $0.isPerUser && $0.ranksModels } ?? false
  }
}

extension AdjacencyList {
  /// The pairs whose columns are included.
  fileprivate func filterColumns(_ isIncluded: (Int) -> Bool) -> AdjacencyList {
    AdjacencyList(
      rowCount: rowCount, columnCount: columnCount,
      pairs: (0..<rowCount).flatMap { row in
        self[row].filter { isIncluded(Int($0)) }.map { (Int32(row), $0) }
      })
  }
}
