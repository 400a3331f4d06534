import Settings

extension Metric {
  private static let registry = Registry("metric", builtIn) { $0.name }

  /// The metrics of this project, in the order in which they are listed. To add one, write its
  /// formula and a name here.
  private static let builtIn: [Metric] = [
    recall, ndcg, precision, map, coverage, gini, popularity,
  ]

  /// Adds metrics of a program's own, before anything of evaluation is used.
  ///
  /// - Throws: `RegistrationError` for a name that exists or is not written in a–z, 0–9 and _, and
  ///   when the metrics were used before.
  package static func add(_ metrics: [Metric]) throws(RegistrationError) {
    try registry.add(metrics)
  }

  /// The metrics that there are, in the order in which they are listed everywhere.
  public static let all = registry.sealed()

  /// The metrics of one-line reports, and the default ones for comparing runs.
  public static let headline: [Metric] = [recall, ndcg]

  /// The metrics that are computed by default.
  public static let standard = all.filter(\.isStandard)

  /// The metric of a name; nil if there is none.
  public static func named(_ name: some StringProtocol) -> Metric? { all.first { $0.name == name } }

  /// The metric of a value's name such as `recall@20`; nil if there is none.
  public static func ofValue(_ name: String) -> Metric? {
    named(name.prefix { $0 != "@" })
  }

  /// Names such as `recall@20` in the order of the metrics, then of the cutoffs; unknown names come
  /// last.
  public static func sorted(_ names: some Sequence<String>) -> [String] {
    names.map { name in
      let parts = name.split(separator: "@")
      let position = all.firstIndex { $0.name == parts.first ?? "" } ?? all.count
      return (position, parts.count > 1 ? Int(parts[1]) ?? 0 : 0, name)
    }
    .sorted { $0 < $1 }.map(\.2)
  }
}
