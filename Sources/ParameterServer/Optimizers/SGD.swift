import CKernels
import Settings

/// `w ← w − lr·g`.
package struct SGD: RowOptimizer {
  package static let name = "sgd"

  package let states: [RowState] = []

  package init() {}
  package init(_ values: SettingValues<NoSettings>) {}

  package func step(_ number: Int, rate: Double) -> Float { Float(rate) }

  package func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int, at rate: Float
  ) {
    mrdib_sgd_update(row, gradient, width, rate)
  }
}
