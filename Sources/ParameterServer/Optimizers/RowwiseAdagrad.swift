import CKernels
import Settings

/// Adagrad with one sum per row: `s ← s + mean(g²); w ← w − lr/(√s + ε) · g`. The state of a row
/// takes as many bytes as one weight.
///
/// - Source: FBGEMM's `EXACT_ROWWISE_ADAGRAD` without weight decay, which torchrec trains
///   embeddings with.
package struct RowwiseAdagrad: RowOptimizer {
  package static let name = "rowwise_adagrad"

  package struct Settings: SettingGroup {
    let epsilon = Setting(
      "rowwise_adagrad_epsilon", default: RowwiseAdagrad().epsilon, .within(1e-30...1),
      help: "Added to the root of the row's sum of mean squared gradients (FBGEMM).")

    package init() {}
  }

  package let epsilon: Double
  package let states = [RowState("sum", .onePerRow)]

  package init(epsilon: Double = 1e-8) { self.epsilon = epsilon }

  package init(_ values: SettingValues<Settings>) { self.init(epsilon: values.epsilon) }

  package func validate() throws(ParameterServerError) { try validate(epsilon: epsilon) }

  package func step(_ number: Int, rate: Double) -> Float { Float(rate) }

  package func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int, at rate: Float
  ) {
    mrdib_rowwise_adagrad_update(row, gradient, width, rate, Float(epsilon))
  }
}
