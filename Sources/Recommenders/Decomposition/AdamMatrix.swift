internal import CKernels
internal import Foundation
import Tensors

/// A matrix of parameters with Adam's moments, for what is fitted outside of a run.
///
/// - Source: Kingma and Ba 2015, arXiv:1412.6980, β = (.9, .999), ε = 1e-8.
final class AdamMatrix {
  /// The parameters; the first third of the storage, which the moments follow.
  let value: Matrix
  private let storage: MatrixStorage
  private var steps = 0

  private static let constants = mrdib_adam_constants(
    beta1: 0.9, complement1: 0.1, beta2: 0.999, complement2: 0.001, epsilon: 1e-8)

  init(_ initial: Matrix) {
    storage = MatrixStorage(capacity: 3 * initial.count)
    storage.pointer.initialize(repeating: 0, count: storage.capacity)
    value = Matrix(rows: initial.rows, columns: initial.columns, storage: storage)
    value.copy(from: initial)
  }

  /// One step against a gradient of the same shape.
  func step(_ gradient: Matrix, rate: Double) {
    steps += 1
    var constants = Self.constants
    mrdib_adam_update(
      storage.pointer, gradient.pointer, value.count, &constants,
      mrdib_adam_step(
        step_size: Float(rate / (1 - pow(0.9, Double(steps)))),
        inverse_root: Float(1 / (1 - pow(0.999, Double(steps))).squareRoot()),
        sums: (0, 0, 0), decay1: 0, decay2: 0))
  }
}

extension Matrix {
  /// A copy of its own.
  var copied: Matrix {
    let result = Matrix(rows: rows, columns: columns)
    result.copy(from: self)
    return result
  }
}
