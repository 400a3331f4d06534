import CKernels
import Settings

/// `s ← s + g²; w ← w − lr·g / (√s + ε)`.
///
/// - Source: Duchi et al. 2011, in the form of PyTorch's `Adagrad` without decay.
package struct Adagrad: RowOptimizer {
  package static let name = "adagrad"

  package struct Settings: SettingGroup {
    let epsilon = Setting(
      "adagrad_epsilon", default: Adagrad().epsilon, .within(1e-30...1),
      help: "Added to the root of Adagrad's sum of squared gradients (PyTorch).")

    package init() {}
  }

  package let epsilon: Double
  package let states = [RowState("sum")]

  package init(epsilon: Double = 1e-10) { self.epsilon = epsilon }

  package init(_ values: SettingValues<Settings>) { self.init(epsilon: values.epsilon) }

  package func validate() throws(ParameterServerError) { try validate(epsilon: epsilon) }

  package func step(_ number: Int, rate: Double) -> Float { Float(rate) }

  package func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int, at rate: Float
  ) {
    mrdib_adagrad_update(row, gradient, width, rate, Float(epsilon))
  }
}
