/// What rankings are judged by, at a cutoff K.
///
/// An entry in a file of this folder and a line in `Metric.all` make a metric: evaluation,
/// settings, files and tables take everything from here.
public struct Metric: Sendable {
  /// The name in settings, files and tables, in lower case.
  public let name: String
  /// Whether a greater value says that a model is better, so that a run can be selected by it.
  public let ranksModels: Bool
  /// Whether it is computed unless settings say otherwise.
  public let isStandard: Bool
  /// What it says in a few words, for help.
  public let summary: String
  let formula: Formula

  /// What a value is computed from.
  enum Formula: Sendable {
    /// A user's value, from the ranks of the user's items; 0 for a user without hits, which is not
    /// asked for. The value of a split is the mean over its users.
    case hits(@Sendable (Hits) -> Double)
    /// A user's value, from the items of the user's list, which may be none. The value of a split
    /// is the mean over its users.
    case list(@Sendable (RecommendedList) -> Double)
    /// The value of a split, from how often each item is in one of its users' lists.
    case exposure(@Sendable (Exposure) -> Double)
  }

  init(
    _ name: String, ranksModels: Bool, isStandard: Bool, summary: String, _ formula: Formula
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

  /// The name under which a value is reported: `recall@20`.
  public func name(at cutoff: Int) -> String { "\(name)@\(cutoff)" }
}

extension Metric: Equatable {
  public static func == (left: Metric, right: Metric) -> Bool { left.name == right.name }
}

/// A user's items that are among the best K. Let hit(r) be 1 if the item at rank r is among the
/// user's m items, else 0.
struct Hits {
  /// The ranks r (from 1) with hit(r) = 1, ascending, at least one.
  let ranks: ArraySlice<Int>
  /// K.
  let cutoff: Int
  /// m, at least 1.
  let truthCount: Int
  let discounts: RankDiscounts
}

/// The best K items of a user, or as many as there are.
struct RecommendedList {
  let items: ArraySlice<Int>
  /// In how many training interactions each item of the catalogue is.
  let trainingCounts: [Int32]
}
