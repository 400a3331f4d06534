import CKernels
import Foundation
import Settings

/// `m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)`.
///
/// - Source: Kingma and Ba 2015, in the form of PyTorch's `Adam` without weight decay; moments
///   below the smallest normal number become zero.
package struct Adam: RowOptimizer {
  /// How a step treats rows without a gradient.
  package enum Mode: String, SettingChoice {
    /// A row's missed steps are replayed when it is next read or updated: the bits of `dense`, at a
    /// cost proportional to the rows in use.
    case lazyExact = "lazy_exact"
    /// Every row is updated at every step; with a gradient of zero the moments decay and still move
    /// the row. Published results use this mode.
    case dense
    /// As `lazyExact`, with the sum of all missed steps in one formula, whose cost does not grow
    /// with them: `dense` but for rounding. See ``ClosedAdam``.
    case closed
    /// Only rows with a gradient are updated. Cheapest; not comparable with published results.
    case lazy
  }

  package static let name = "adam"

  package struct Settings: SettingGroup {
    let mode = Setting(
      "adam_mode", default: Mode.lazyExact,
      help: "What happens to rows that a step does not touch (register A20): dense moves them every"
        + " step, lazy_exact when they are next touched with the same result, closed in one step"
        + " with nearly the same result (for large tables), lazy not at all.")
    let beta1 = Setting(
      "adam_beta1", default: Adam().beta1, .within(0..<1),
      help: "Decay of Adam's mean of gradients (MMRec).")
    let beta2 = Setting(
      "adam_beta2", default: Adam().beta2, .within(0..<1),
      help: "Decay of Adam's mean of squared gradients (MMRec).")
    let epsilon = Setting(
      "adam_epsilon", default: Adam().epsilon, .within(1e-30...1),
      help: "Added to the root of Adam's mean of squared gradients (MMRec).")

    package init() {}
  }

  package let beta1: Double
  package let beta2: Double
  package let epsilon: Double
  package let mode: Mode
  private let constants: mrdib_adam_constants
  /// Nil in other modes.
  private let closed: ClosedAdam?

  package let states = [RowState("exp_avg"), RowState("exp_avg_sq")]

  package init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, mode: Mode = .dense
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.mode = mode
    closed = mode == .closed ? ClosedAdam(beta1: beta1, beta2: beta2) : nil
    constants = mrdib_adam_constants(
      beta1: Float(beta1), complement1: Float(1 - beta1), beta2: Float(beta2),
      complement2: Float(1 - beta2), epsilon: Float(epsilon))
  }

  package init(_ values: SettingValues<Settings>) {
    self.init(
      beta1: values.beta1, beta2: values.beta2, epsilon: values.epsilon, mode: values.mode)
  }

  package func validate() throws(ParameterServerError) {
    try validate(epsilon: epsilon)
    for (name, beta) in [("beta1", beta1), ("beta2", beta2)]
    where !(beta >= 0 && Float(beta) < 1) {
      throw ParameterServerError(
        .configuration, "Adam's \(name) is \(beta); choose at least 0 and less than 1.")
    }
    try closed?.validate()
  }

  package var untouchedRows: UntouchedRows {
    switch mode {
    case .dense: .moveAtOnce
    case .lazyExact: .moveWhenUsed
    case .closed: .moveWhenUpdated
    case .lazy: .stay
    }
  }

  package func step(_ number: Int, rate: Double) -> mrdib_adam_step {
    mrdib_adam_step(
      step_size: Float(rate / (1 - pow(beta1, Double(number)))),
      inverse_root: Float(1 / (1 - pow(beta2, Double(number))).squareRoot()),
      sums: (0, 0, 0), decay1: mode == .closed ? Float(pow(beta1, Double(number))) : 0,
      decay2: mode == .closed ? Float(pow(beta2, Double(number))) : 0)
  }

  package func append(_ step: mrdib_adam_step, to steps: inout [mrdib_adam_step]) {
    closed?.addLast(of: &steps)
    steps.append(step)
  }

  package func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int,
    at step: mrdib_adam_step
  ) {
    withUnsafePointer(to: constants) { mrdib_adam_update(row, gradient, width, $0, step) }
  }

  package func replay(
    _ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<mrdib_adam_step>
  ) {
    guard let first = steps.baseAddress else { return }
    withUnsafePointer(to: constants) { mrdib_adam_replay(row, width, $0, first, steps.count) }
  }

  package func settle(
    _ row: UnsafeMutablePointer<Float>, width: Int,
    steps: UnsafeBufferPointer<mrdib_adam_step>, missed: Range<Int>
  ) {
    guard let gap = closed?.gap(steps, missed) else { return }
    withUnsafePointer(to: constants) { mrdib_adam_move(row, row, width, $0, gap) }
    mrdib_adam_decay(row, width, gap)
  }

  package func addMissed(
    to weights: UnsafeMutablePointer<Float>, of row: UnsafePointer<Float>, width: Int,
    steps: UnsafeBufferPointer<mrdib_adam_step>, missed: Range<Int>
  ) {
    guard let gap = closed?.gap(steps, missed) else { return }
    withUnsafePointer(to: constants) { mrdib_adam_move(weights, row, width, $0, gap) }
  }
}
