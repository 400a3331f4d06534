/// A measure of rankings at a cutoff K.
///
/// A formula in a file of this folder and its name in `Metric+All.swift` make a metric; a program
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
  ///   - ranksModels: whether a greater value says that a model is better.
  ///   - isStandard: whether it is computed unless settings say otherwise.
  ///   - summary: what it says in a few words, without a full stop.
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
  /// The number of training interactions of each item of the catalogue.
  public let trainingCounts: [Int32]
}
