import Settings

/// A measure of rankings at a cutoff K.
///
/// A formula in a file of this folder and its name in ``builtIn`` make a metric; a program
/// of your own passes it to its entry point instead. Evaluation, settings, files and tables take
/// everything from here.
///
///     let hitRate = Metric(
///       "hit_rate", ranksModels: true, summary: "the share of users with a hit", .hits { _ in 1 })
public struct Metric: Sendable {
  /// The name in settings, files and tables, in lower case.
  public let name: String
  /// Whether a greater value means a better model, so that a run can be selected by it.
  public let ranksModels: Bool
  /// Whether it is computed by default.
  public let isStandard: Bool
  /// A short description, for help.
  public let summary: String
  let formula: Formula

  /// What a value is computed from.
  public enum Formula: Sendable {
    /// A user's value, from the ranks of the user's items; not called for a user without hits,
    /// whose value is 0. The value of a split is the mean over its users.
    case hits(@Sendable (Hits) -> Double)
    /// A user's value, from the items of the user's list, which may be none. The value of a split
    /// is the mean over its users.
    case list(@Sendable (RecommendedList) -> Double)
    /// The value of a split, from how often each item is in one of its users' lists.
    case exposure(@Sendable (Exposure) -> Double)
  }

  /// - Parameters:
  ///   - name: written in a–z, 0–9 and _.
  ///   - ranksModels: whether a greater value means a better model.
  ///   - isStandard: whether it is computed unless settings select others.
  ///   - summary: what it measures, in a few words, without a full stop.
  public init(
    _ name: String, ranksModels: Bool, isStandard: Bool = false, summary: String,
    _ formula: Formula
  ) {
    self.name = name
    self.summary = summary
    self.ranksModels = ranksModels
    self.isStandard = isStandard
    self.formula = formula
  }

  /// Whether a single user has a value.
  public var isPerUser: Bool {
    if case .exposure = formula { false } else { true }
  }

  /// Whether it is computed from the ranks of users' items alone, so that it can be taken for a
  /// group of items.
  package var isOfHits: Bool {
    if case .hits = formula { true } else { false }
  }

  /// The name under which a value is reported: `recall@20`.
  public func name(at cutoff: Int) -> String { "\(name)@\(cutoff)" }
}

extension Metric: Equatable {
  public static func == (left: Metric, right: Metric) -> Bool { left.name == right.name }
}

/// A user's items that are among the best K. Let hit(r) be 1 if the item at rank r is among the
/// user's m items, else 0.
public struct Hits {
  /// The ranks r (from 1) with hit(r) = 1, ascending, at least one.
  public let ranks: ArraySlice<Int>
  /// K.
  public let cutoff: Int
  /// m, at least 1.
  public let truthCount: Int
  public let discounts: RankDiscounts
}

/// The best K items of a user, or as many as there are.
public struct RecommendedList {
  public let items: ArraySlice<Int>
  /// Of each item of the catalogue.
  public let popularity: ItemPopularity
}

extension Metric {
  private static let registry = Registry("metric", builtIn) { $0.name }

  /// The metrics of this project, in the order in which they are listed. To add one, write its
  /// formula and a name here.
  private static let builtIn: [Metric] = [
    recall, ndcg, precision, map, hit, mrr, coverage, gini, entropy, popularity, novelty, tail,
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
