import Tensors
import TestSupport

/// The gradient of a scalar function against central differences, along random directions.
///
/// A direction tests all elements at once and keeps the difference well above rounding. Returns
/// the largest error over inputs and directions, relative to the size of the derivative.
func gradientError(
  _ inputs: [Matrix], step: Float = 1e-2, directions: Int = 3,
  _ function: (Tape, [Variable]) -> Variable
) -> Double {
  func value(_ inputs: [Matrix]) -> Double {
    let tape = Tape()
    let result = function(tape, inputs.map { tape.parameter($0) })
    tape.resolve(tape.reductions.map(\.part))
    return Double(result.scalar)
  }
  let tape = Tape()
  let variables = inputs.map { tape.parameter($0) }
  let result = function(tape, variables)
  tape.resolve(tape.reductions.map(\.part))
  tape.backward(from: [(result, 1)])
  var worst = 0.0
  for (index, input) in inputs.enumerated() {
    for seed in 0..<directions {
      let direction = randomMatrix(
        input.rows, input.columns, seed: UInt64(1000 + 10 * index + seed))
      func moved(_ distance: Float) -> [Matrix] {
        var all = inputs
        let matrix = Matrix(rows: input.rows, columns: input.columns)
        matrix.copy(from: input)
        BLAS.accumulate(
          direction.pointer, scaledBy: distance, into: matrix.pointer, count: matrix.count)
        all[index] = matrix
        return all
      }
      let numeric = (value(moved(step)) - value(moved(-step))) / (2 * Double(step))
      var analytic = 0.0
      var size = 0.0
      if let gradient = variables[index].gradient {
        for element in 0..<input.count {
          let product = Double(gradient.pointer[element]) * Double(direction.pointer[element])
          analytic += product
          size += product * product
        }
      }
      worst = max(worst, abs(numeric - analytic) / max(size.squareRoot(), 0.05))
    }
  }
  return worst
}

/// A scalar that depends on every element of `x` differently: its inner product with fixed
/// random numbers.
func probe(_ tape: Tape, _ x: Variable) -> Variable {
  let weights = tape.constant(randomMatrix(x.rows, x.columns, seed: 77))
  let rows = (0..<Int32(x.rows)).map { $0 }
  let products = tape.rowDot(x, rows, weights, rows)
  return tape.sum([(tape.mean(products), Float(x.rows))])
}
