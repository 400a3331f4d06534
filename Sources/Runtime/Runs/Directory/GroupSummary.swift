import Recommenders

/// The metrics of a run's best epoch in a group of users or items, as in `summary.json`.
package struct GroupSummary: Sendable, Equatable {
  package let group: InteractionGroup
  /// How many users the metrics are over.
  package let userCount: Int
  /// Such as `recall@20`, unrounded.
  package let metrics: [String: Double]

  package init(group: InteractionGroup, userCount: Int, metrics: [String: Double]) {
    self.group = group
    self.userCount = userCount
    self.metrics = metrics
  }
}

extension GroupSummary: Encodable {
  private enum Key: String, CodingKey {
    case kind, fewest, most, users, metrics
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(group.kind, forKey: .kind)
    try container.encode(group.fewest, forKey: .fewest)
    try container.encode(group.most, forKey: .most)
    try container.encode(userCount, forKey: .users)
    try container.encode(ResultJSON.numbers(metrics), forKey: .metrics)
  }
}
