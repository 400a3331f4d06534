/// Early stopping and the choice of the best epoch.
///
/// A value improves if it is strictly above the best so far, after rounding by the rule; equal
/// values keep the earlier epoch. The first evaluation always improves. NaN never does.
///
/// Source: MMRec e775373, `early_stopping`. Deviation: none with ``SelectionRule/Rounding``
/// `fourDecimals`; by default values are compared unrounded.
package struct ModelSelection: Sendable, Equatable {
  package enum Verdict: Sendable, Equatable {
    case improved
    case notImproved
    /// Not improved, and once more than the rule's patience in a row.
    case exhausted
  }

  package struct Best: Sendable, Equatable, Codable {
    package var epoch: UInt32
    /// The version of the tables that was evaluated.
    package var version: UInt64
    /// The selection metric, unrounded.
    package var value: Double

    package init(epoch: UInt32, version: UInt64, value: Double) {
      self.epoch = epoch
      self.version = version
      self.value = value
    }
  }

  package let rule: SelectionRule
  package private(set) var best: Best?
  /// Consecutive evaluations without improvement.
  package private(set) var nonImprovingCount: UInt32 = 0

  /// Whether the latest evaluation was one too many without improvement.
  package var isExhausted: Bool { nonImprovingCount > rule.patience }

  package init(rule: SelectionRule) {
    self.rule = rule
  }

  /// Records one evaluation; to be called in the order of the epochs.
  package mutating func consider(_ value: Double, epoch: UInt32, version: UInt64) -> Verdict {
    if isImprovement(value) {
      best = Best(epoch: epoch, version: version, value: value)
      nonImprovingCount = 0
      return .improved
    }
    nonImprovingCount += 1
    return isExhausted ? .exhausted : .notImproved
  }

  private func isImprovement(_ value: Double) -> Bool {
    guard !value.isNaN else { return false }
    guard let best else { return true }
    return rule.rounding.apply(to: value) > rule.rounding.apply(to: best.value)
  }
}

extension SelectionRule.Rounding {
  /// The value as it is compared.
  package func apply(to value: Double) -> Double {
    switch self {
    case .none: value
    case .fourDecimals: (value * 10_000).rounded(.toNearestOrEven) / 10_000
    }
  }
}

/// Which evaluation counts as the best one, and when to stop waiting for a better one.
package struct SelectionRule: Sendable, Equatable {
  /// How a value is rounded before it is compared.
  package enum Rounding: String, Sendable, Equatable {
    /// Compared as computed.
    case none
    /// To four decimals, as MMRec compares: `numpy.round(value, 4)`, that is value · 10⁴ rounded
    /// to the nearest integer with ties to even, divided by 10⁴. (Python's `round` of a plain
    /// float looks at the exact decimal expansion instead; the two differ only where value · 10⁴
    /// rounds to a tie.)
    case fourDecimals
  }

  /// Split and metric, such as `valid.recall@20`. Greater is better.
  package var metric: String
  /// The run stops at the evaluation that makes the number of consecutive evaluations without
  /// improvement exceed this (`stopping_step`): 20 stops at the 21st.
  package var patience: UInt32
  package var rounding: Rounding

  package init(metric: String, patience: UInt32, rounding: Rounding = .none) {
    self.metric = metric
    self.patience = patience
    self.rounding = rounding
  }

  /// The rule in one line, as it goes into a summary.
  package var summary: String {
    let compared = rounding == .none ? "unrounded" : "rounded to 4 decimals"
    return "highest \(metric), \(compared), first of equals; stop after more than \(patience) "
      + "evaluations without improvement"
  }
}
