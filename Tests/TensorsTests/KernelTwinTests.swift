import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

/// The C loops compared with plain Swift in double precision.
@Suite("Kernels against plain Swift") struct KernelTwinTests {
  /// Logarithm of the sum of exponentials, and the weights.
  private func plainSoftmax(_ logits: [Float]) -> (logSum: Double, weights: [Double]) {
    let largest = Double(logits.max() ?? 0)
    let weights = logits.map { exp(Double($0) - largest) }
    let sum = weights.reduce(0, +)
    return (log(sum) + largest, weights.map { $0 / sum })
  }

  @Test("products with rows are sums in the order of the columns", arguments: [1, 7, 8, 9, 30])
  func rowProducts(count: Int) {
    let x = randomMatrix(1, 33, seed: 1)
    let rows = randomMatrix(12, 33, seed: 2)
    let ids = (0..<Int32(count)).map { $0 * 5 % 12 }
    var products = [Float](repeating: 0, count: count)
    mrdib_row_products(x.pointer, rows.pointer, 33, ids, count, &products)
    let expected = ids.map { id in
      (0..<33).reduce(Float(0)) { $0 + x[0, $1] * rows[Int(id), $1] }
    }
    #expect(products == expected)
  }

  private func softmax(_ x: Matrix) -> [Double] {
    var logSums = [Double](repeating: 0, count: x.rows)
    let factors = [Float](repeating: 1, count: x.rows)
    mrdib_softmax_rows(x.pointer, x.rows, x.columns, factors, &logSums)
    return logSums
  }

  @Test(
    "soft-max of rows, whatever their width and magnitude",
    arguments: [1, 2, 15, 16, 17, 100, 513], [0.1, 5, 60] as [Float])
  func softmaxRows(columns: Int, scale: Float) {
    let x = randomMatrix(5, columns, seed: 3)
    for index in 0..<x.count { x.pointer[index] *= scale }
    let expected = (0..<x.rows).map { plainSoftmax(Array(x.row($0))) }
    // Subtracting the largest logit rounds by up to half a unit in the last place.
    let rounding = 4e-7 + 0x1p-24 * Double(2 * (x.elements.map(abs).max() ?? 0))
    let logSums = softmax(x)
    for row in 0..<x.rows {
      #expect(abs(logSums[row] - expected[row].logSum) < 4e-7 * max(1, abs(logSums[row])))
      for (found, weight) in zip(x.row(row), expected[row].weights) {
        #expect(abs(Double(found) - weight) < rounding * weight + 1e-34)
      }
    }
  }

  @Test("soft-max of logits that would overflow, and of equal ones")
  func largeLogits() {
    let x = Matrix(rows: 2, columns: 3, elements: [1000, 999, -1000, -3e38, -3e38, -3e38])
    let logSums = softmax(x)
    #expect(abs(logSums[0] - 1000.313262) < 1e-5)
    #expect(abs(x[0, 0] - 0.7310586) < 1e-6 && x[0, 2] < 1e-34)
    #expect(abs(x[1, 1] - 1 / 3) < 1e-7)
  }

  @Test(
    "soft-max with a logit that is not a number has nothing else in that row", arguments: [3, 40])
  func notANumber(columns: Int) {
    let x = randomMatrix(3, columns, seed: 4)
    x.pointer[columns + 1] = .nan
    let logSums = softmax(x)
    #expect(logSums[1].isNaN && x.row(1).allSatisfy(\.isNaN))
    #expect(logSums[0].isFinite && x.row(2).allSatisfy(\.isFinite))
  }

  @Test("logistic function and its adjoint", arguments: [1, 16, 77])
  func sigmoid(count: Int) {
    let x = randomMatrix(1, count, seed: 5)
    for index in 0..<count { x.pointer[index] *= 12 }
    let gradient = randomMatrix(1, count, seed: 6)
    let (y, target) = (Matrix(rows: 1, columns: count), Matrix(rows: 1, columns: count))
    mrdib_sigmoid(x.pointer, y.pointer, count)
    mrdib_sigmoid_adjoint(y.pointer, gradient.pointer, target.pointer, count, 0)
    mrdib_sigmoid_adjoint(y.pointer, gradient.pointer, target.pointer, count, 1)
    for index in 0..<count {
      let plain = 1 / (1 + exp(-Double(x.pointer[index])))
      #expect(abs(Double(y.pointer[index]) - plain) < 4e-7 * plain)
      let adjoint = 2 * Double(gradient.pointer[index]) * plain * (1 - plain)
      #expect(abs(Double(target.pointer[index]) - adjoint) < 1e-6)
    }
  }

  @Test("logistic function of NaN")
  func sigmoidOfNoNumber() {
    var values = [Float](repeating: 0, count: 3)
    mrdib_sigmoid([.nan, .infinity, -.infinity], &values, 3)
    #expect(values[0].isNaN && values[1] == 1 && values[2] < 1e-34)
  }

  @Test(
    "capped hyperbolic tangent, small and large", arguments: [1, 10] as [Float],
    [1e-6, 0.1, 1, 5, 300] as [Float])
  func tanhCap(cap: Float, scale: Float) {
    let count = 70
    let x = randomMatrix(1, count, seed: 9)
    for index in 0..<count { x.pointer[index] *= scale }
    let gradient = randomMatrix(1, count, seed: 10)
    let (y, target) = (Matrix(rows: 1, columns: count), Matrix(rows: 1, columns: count))
    mrdib_tanh_cap(x.pointer, cap, y.pointer, count)
    mrdib_tanh_cap_adjoint(y.pointer, cap, gradient.pointer, target.pointer, count, 0)
    mrdib_tanh_cap_adjoint(y.pointer, cap, gradient.pointer, target.pointer, count, 1)
    for index in 0..<count {
      let plain = tanh(Double(x.pointer[index]) / Double(cap))
      #expect(abs(Double(y.pointer[index]) - Double(cap) * plain) < 4e-7 * abs(Double(cap) * plain))
      let adjoint = 2 * Double(gradient.pointer[index]) * (1 - plain * plain)
      #expect(abs(Double(target.pointer[index]) - adjoint) < 2e-6)
    }
  }

  @Test("hyperbolic tangent of NaN, of 0 and of large numbers")
  func tanhOfNoNumber() {
    var values = [Float](repeating: 1, count: 4)
    mrdib_tanh_cap([.nan, .infinity, -.infinity, 0], 2, &values, 4)
    #expect(values[0].isNaN && values[1] == 2 && values[2] == -2 && values[3] == 0)
  }

  @Test("leaky rectifier and its adjoint", arguments: [1, 16, 77])
  func leakyReLU(count: Int) {
    let x = randomMatrix(1, count, seed: 7)
    let gradient = randomMatrix(1, count, seed: 8)
    let (y, target) = (Matrix(rows: 1, columns: count), Matrix(rows: 1, columns: count))
    mrdib_leaky_relu(x.pointer, 0.25, y.pointer, count)
    mrdib_leaky_relu_adjoint(x.pointer, 0.25, gradient.pointer, target.pointer, count, 0)
    mrdib_leaky_relu_adjoint(x.pointer, 0.25, gradient.pointer, target.pointer, count, 1)
    for index in 0..<count {
      let slope: Float = x.pointer[index] > 0 ? 1 : 0.25
      #expect(y.pointer[index] == slope * x.pointer[index])
      #expect(target.pointer[index] == 2 * slope * gradient.pointer[index])
    }
  }

  @Test("sums and combination of two gradients, all rows or some", arguments: [1, 7, 8, 9, 64, 67])
  func gate(width: Int) {
    let (g, a) = (randomMatrix(6, width, seed: 15), randomMatrix(6, width, seed: 16))
    for rows in [nil, [0, 2, 5]] as [[Int32]?] {
      let visited = (rows ?? Array(0..<6)).map(Int.init)
      let indices = visited.flatMap { $0 * width..<($0 + 1) * width }
      func plain(_ term: (_ g: Double, _ a: Double) -> Double) -> Double {
        indices.reduce(0) { $0 + term(Double(g.pointer[$1]), Double(a.pointer[$1])) }
      }
      var sums = [1.0, 2, 3]
      mrdib_gradient_products(g.pointer, a.pointer, rows, visited.count, width, &sums)
      let expected = [1 + plain { g, _ in g * g }, 2 + plain { $0 * $1 }, 3 + plain { $1 * $1 }]
      for (found, expected) in zip(sums, expected) { #expect(abs(found - expected) < 1e-10) }
      var square = 1.0
      mrdib_projected_square(g.pointer, a.pointer, -0.7, rows, visited.count, width, &square)
      #expect(abs(square - 1 - plain { ($1 + 0.7 * $0) * ($1 + 0.7 * $0) }) < 1e-10)
      let target = Matrix(rows: 6, columns: width)
      target.copy(from: g)
      mrdib_combine_gradients(target.pointer, a.pointer, 1.25, -0.3, rows, visited.count, width)
      for index in 0..<g.count {
        let combined = Float(1.25 * Double(g.pointer[index]) - 0.3 * Double(a.pointer[index]))
        #expect(target.pointer[index] == (indices.contains(index) ? combined : g.pointer[index]))
      }
    }
  }

  @Test("unit rows and their adjoint, whatever their width", arguments: [1, 15, 16, 64, 100])
  func unitRows(width: Int) {
    let (x, gradient) = (randomMatrix(5, width, seed: 6), randomMatrix(4, width, seed: 7))
    let rows: [Int32] = [3, 0, 3, 2]
    let (unit, inverse) = (Matrix(rows: 4, columns: width), Matrix(rows: 4, columns: 1))
    mrdib_unit_rows(x.pointer, rows, 4, width, unit.pointer, inverse.pointer)
    let target = Matrix(rows: 5, columns: width)
    target.fill(0)
    // The ranges 0 ..< 3 and 3 ..< 5 together are all rows.
    for (first, end) in [(0, 3), (3, 5)] as [(Int32, Int32)] {
      mrdib_unit_rows_adjoint(
        unit.pointer, inverse.pointer, gradient.pointer, rows, 4, first, end, width,
        target.pointer)
    }
    var expected = [Double](repeating: 0, count: 5 * width)
    for (position, row) in rows.enumerated() {
      let values = x.row(Int(row)).map(Double.init)
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let (y, g) = (values.map { $0 / norm }, gradient.row(position).map(Double.init))
      let along = zip(y, g).reduce(0) { $0 + $1.0 * $1.1 }
      for column in 0..<width {
        #expect(abs(Double(unit[position, column]) - y[column]) < 1e-6)
        expected[Int(row) * width + column] += (g[column] - along * y[column]) / norm
      }
    }
    for (index, value) in expected.enumerated() {
      #expect(abs(Double(target.pointer[index]) - value) < 1e-4 * max(1, abs(value)))
    }
  }
}
