import Tensors
import TestSupport
import Testing

/// Operations of graph networks against finite differences and by hand.
@Suite struct LinearMapGradientTests {
  static let shapes = [(1, 1), (2, 3), (5, 4), (7, 16), (33, 8)]

  @Test("leaky ReLU away from its corner, of one matrix twice", arguments: shapes)
  func leakyReLU(rows: Int, width: Int) {
    let input = randomMatrix(rows, width, seed: 1, scale: 2)
    for index in 0..<input.count where abs(input.pointer[index]) < 0.1 {
      input.pointer[index] = -0.2
    }
    let error = gradientError([input]) { tape, x in
      tape.add(
        probe(tape, tape.leakyReLU(x[0])), probe(tape, tape.leakyReLU(x[0], slope: 0.3)))
    }
    #expect(error < 2e-3)
  }

  @Test("leaky ReLU keeps positive numbers and scales the others")
  func leakyReLUValues() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 1, columns: 4, elements: [2, -2, 0, -0.5]))
    #expect(Array(tape.leakyReLU(x).value.elements) == [2, -0.02, 0, -0.005])
    #expect(Array(tape.leakyReLU(x, slope: 0).value.elements) == [2, 0, 0, 0])
  }

  @Test("product with a dense weight that is stored inputs by outputs", arguments: shapes)
  func denseProduct(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(width, 6, seed: 2),
      randomMatrix(width, width, seed: 3),
    ]) { tape, x in
      let once = tape.multiply(x[0], x[2])
      return tape.add(
        probe(tape, tape.multiply(once, x[1])), probe(tape, tape.multiply(x[0], x[2])))
    }
    #expect(error < 2e-3)
  }

  @Test("linear over several parts, one of them twice", arguments: shapes)
  func linearOfParts(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, 3, seed: 2),
      randomMatrix(5, 2 * width + 3, seed: 3), randomMatrix(1, 5, seed: 4),
    ]) { tape, x in
      probe(tape, tape.linear([x[0], x[1], x[0]], x[2], bias: x[3]))
    }
    #expect(error < 2e-3)
  }

  @Test("linear over parts equals linear over the concatenated parts")
  func linearOfPartsValues() {
    let tape = Tape()
    let parts = [randomMatrix(4, 3, seed: 1), randomMatrix(4, 5, seed: 2)].map {
      tape.constant($0)
    }
    let weight = tape.constant(randomMatrix(6, 8, seed: 3))
    let bias = tape.constant(randomMatrix(1, 6, seed: 4))
    let apart = tape.linear(parts, weight, bias: bias)
    let joined = tape.linear(tape.concatenateColumns(parts), weight, bias: bias)
    #expect(relativeDifference(apart.value, joined.value) < 1e-6)
  }

  @Test("weighted row sums of matrices with more rows than weights", arguments: shapes)
  func weightedRowSum(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows + 2, width, seed: 2),
      randomMatrix(rows, 3, seed: 3),
    ]) { tape, x in
      probe(tape, tape.weightedRowSum([x[0], x[1], x[0]], weights: x[2]))
    }
    #expect(error < 2e-3)
  }

  @Test("weighted rows by hand; rows without a weight are ignored")
  func weightedRowSumValues() {
    let tape = Tape()
    let first = tape.constant(Matrix(rows: 3, columns: 2, elements: [1, 2, 3, 4, 9, 9]))
    let second = tape.constant(Matrix(rows: 2, columns: 2, elements: [10, 20, 30, 40]))
    let weights = tape.constant(Matrix(rows: 2, columns: 2, elements: [1, 0.5, -1, 0]))
    let sum = tape.weightedRowSum([first, second], weights: weights)
    #expect(Array(sum.value.elements) == [6, 12, -3, -4])
  }

  @Test("mean square of gathered rows and of all", arguments: shapes)
  func meanSquare(rows: Int, width: Int) {
    let indices = (0..<rows + 2).map { Int32(($0 * 3) % rows) }
    let error = gradientError([randomMatrix(rows, width, seed: 1)]) { tape, x in
      tape.sum([
        (tape.meanSquare(x[0], indices, count: rows + 2), 2),
        (tape.meanSquare(x[0], count: rows), 1),
      ])
    }
    #expect(error < 5e-3)
  }

  @Test("mean square: repeated rows count again, and shards add up")
  func meanSquareValues() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4]))
    #expect(tape.meanSquare(x, count: 2).scalar == 7.5)
    #expect(tape.meanSquare(x, [0, 1, 1], count: 3).scalar == Float(55) / 6)
    let shards = [[Int32(0)], [1, 1]].map { tape.meanSquare(x, $0, count: 3).scalar }
    #expect(abs(shards[0] + shards[1] - Float(55) / 6) < 1e-6)
  }
}
