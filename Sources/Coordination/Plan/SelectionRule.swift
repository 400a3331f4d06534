/// Which evaluation counts as the best one, and when to stop waiting for a better one.
public struct SelectionRule: Sendable, Equatable {
  /// How a value is rounded before it is compared.
  public enum Rounding: String, Sendable, Equatable {
    /// Compared as computed.
    case none
    /// To four decimals, as MMRec compares: `numpy.round(value, 4)`, that is value · 10⁴ rounded
    /// to the nearest integer with ties to even, divided by 10⁴. (Python's `round` of a plain
    /// float looks at the exact decimal expansion instead; the two differ only where value · 10⁴
    /// rounds to a tie.)
    case fourDecimals
  }

  /// Split and metric, such as `valid.recall@20`. Greater is better.
  public var metric: String
  /// The run stops at the evaluation that makes the number of consecutive evaluations without
  /// improvement exceed this (`stopping_step`): 20 stops at the 21st.
  public var patience: UInt32
  public var rounding: Rounding

  public init(metric: String, patience: UInt32, rounding: Rounding = .none) {
    self.metric = metric
    self.patience = patience
    self.rounding = rounding
  }

  /// The rule in one line, as it goes into a summary.
  public var summary: String {
    let compared = rounding == .none ? "unrounded" : "rounded to 4 decimals"
    return "highest \(metric), \(compared), first of equals; stop after more than \(patience) "
      + "evaluations without improvement"
  }
}
