extension Metric {
  /// The metrics that there are, in the order in which they are listed everywhere.
  public static let all: [Metric] = [
    recall, ndcg, precision, map, coverage, gini, popularity,
  ]

  /// What a line has room for, and what runs are compared by unless asked otherwise.
  public static let headline: [Metric] = [recall, ndcg]

  /// What is computed unless settings say otherwise.
  public static let standard = all.filter(\.isStandard)

  /// The metric of a name; nil if there is none.
  public static func named(_ name: some StringProtocol) -> Metric? { all.first { $0.name == name } }

  /// The metric of a value's name such as `recall@20`; nil if there is none.
  public static func ofValue(_ name: String) -> Metric? {
    named(name.prefix { $0 != "@" })
  }

  /// Names such as `recall@20` in the order of the metrics, then of the cutoffs; names of metrics
  /// that there are not come last.
  public static func sorted(_ names: some Sequence<String>) -> [String] {
    names.map { name in
      let parts = name.split(separator: "@")
      let position = all.firstIndex { $0.name == parts.first ?? "" } ?? all.count
      return (position, parts.count > 1 ? Int(parts[1]) ?? 0 : 0, name)
    }
    .sorted { $0 < $1 }.map(\.2)
  }
}
