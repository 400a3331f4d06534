import Tensors
import TestSupport
import Testing

/// Operations of COHESION and MENTOR against finite differences and by hand.
@Suite struct CompositeOperationTests {
  static let shapes = [(1, 1), (2, 3), (5, 4), (7, 16), (33, 8)]

  @Test("root mean square of two matrices, and of one with itself", arguments: shapes)
  func rootMeanSquare(rows: Int, width: Int) {
    let inputs = [2, 5].map { (seed: UInt64) in
      let matrix = randomMatrix(rows, width, seed: seed, scale: 2)
      for index in 0..<matrix.count where abs(matrix.pointer[index]) < 0.1 {
        matrix.pointer[index] = 0.3
      }
      return matrix
    }
    let error = gradientError(inputs) { tape, x in
      tape.add(
        probe(tape, tape.rootMeanSquare(x[0], x[1])), probe(tape, tape.rootMeanSquare(x[0], x[0])))
    }
    #expect(error < 3e-3)
  }

  @Test("the root mean square of zeros is small and has no gradient")
  func rootMeanSquareOfZeros() {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 1, columns: 2, elements: [0, 6]))
    let y = tape.constant(Matrix(rows: 1, columns: 2, elements: [0, 8]))
    let result = tape.rootMeanSquare(x, y)
    #expect(abs(result.value[0, 0] - 1e-4) < 1e-9 && abs(result.value[0, 1] - 7.0710678) < 1e-5)
    tape.backward(from: [(tape.mean(result), 1)])
    #expect(x.gradient?[0, 0] == 0)
  }

  @Test("rows scaled by their cosine with an anchor, and with themselves", arguments: shapes)
  func scaledByCosine(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1, scale: 2), randomMatrix(rows, width, seed: 2, scale: 2),
    ]) { tape, x in
      let once = tape.scaledByCosine(x[0], with: x[1])
      return tape.add(
        probe(tape, tape.scaledByCosine(once, with: x[1])),
        probe(tape, tape.scaledByCosine(x[0], with: x[0])))
    }
    #expect(error < 5e-3)
  }

  @Test("cosines by hand; a row of zeros stays zero and its gradient is finite")
  func scaledByCosineValues() {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 3, columns: 2, elements: [3, 4, 0, 0, 1, 0]))
    let anchor = tape.parameter(Matrix(rows: 3, columns: 2, elements: [10, 0, 1, 1, 0, -2]))
    let result = tape.scaledByCosine(x, with: anchor)
    let expected: [Float] = [1.8, 2.4, 0, 0, 0, 0]
    #expect(zip(result.value.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    tape.backward(from: [(tape.mean(result), 1)])
    for variable in [x, anchor] {
      #expect(variable.gradient?.elements.allSatisfy { $0.isFinite } == true)
    }
  }

  @Test("complementary weights: 1 minus the soft-max, also of large numbers")
  func complementaryWeights() {
    let tape = Tape()
    let columns = [[0, 800], [0, -800], [0, 0]].map {
      tape.parameter(Matrix(rows: 2, columns: 1, elements: $0))
    }
    let weights = tape.complementaryWeights(columns).map { Array($0.elements) }
    #expect(weights.allSatisfy { abs($0[0] - 2.0 / 3) < 1e-6 })
    #expect(weights[0][1] == 0 && weights[1][1] == 1 && weights[2][1] == 1)
  }

  @Test(
    "InfoNCE in blocks is InfoNCE: value and gradients", arguments: [1, 2, 5, 33], [1, 40, 4096])
  func blockedInfoNCE(rows: Int, blockElements: Int) throws {
    let inputs = [randomMatrix(rows, 6, seed: 3), randomMatrix(rows, 6, seed: 4)]
    func compute(
      _ loss: (Tape, Variable, Variable) -> Variable
    ) throws -> (value: Float, gradients: [[Float]]) {
      let tape = Tape()
      let leaves = inputs.map { tape.parameter($0) }
      let result = loss(tape, leaves[0], leaves[1])
      tape.backward(from: [(result, 0.5)])
      return (result.scalar, try leaves.map { Array(try #require($0.gradient).elements) })
    }
    let blocked = try compute {
      $0.blockedInfoNCE($1, $2, temperature: 0.3, blockElements: blockElements)
    }
    let whole = try compute { $0.infoNCE($1, $2, temperature: 0.3) }
    #expect(abs(blocked.value - whole.value) < 1e-5 * max(1, whole.value))
    for (found, expected) in zip(blocked.gradients, whole.gradients) {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test("InfoNCE in blocks against finite differences, of one matrix with itself too")
  func blockedInfoNCEGradient() {
    let error = gradientError([randomMatrix(9, 4, seed: 1), randomMatrix(9, 4, seed: 2)]) {
      tape, x in
      tape.add(
        tape.blockedInfoNCE(x[0], x[1], temperature: 0.5, blockElements: 20),
        tape.blockedInfoNCE(x[0], x[0], temperature: 0.5, blockElements: 20))
    }
    #expect(error < 5e-3)
  }

  @Test("InfoNCE in blocks of constants, and of no rows")
  func blockedInfoNCEOfConstants() {
    let tape = Tape()
    let x = tape.constant(randomMatrix(7, 3, seed: 1))
    let y = tape.constant(randomMatrix(7, 3, seed: 2))
    let value = tape.blockedInfoNCE(x, y, temperature: 0.2, blockElements: 14).scalar
    #expect(abs(value - tape.infoNCE(x, y, temperature: 0.2).scalar) < 1e-5)
    let empty = tape.constant(Matrix(rows: 0, columns: 3))
    #expect(tape.blockedInfoNCE(empty, empty, temperature: 0.2).scalar == 0)
  }

  @Test("alignment of moments, parts shared and repeated", arguments: shapes)
  func momentAlignment(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows + 1, width, seed: 2, scale: 3),
      randomMatrix(rows, width, seed: 3, scale: 9),
    ]) { tape, x in
      tape.momentAlignment([
        [RepeatedPart(x[0]), RepeatedPart(x[1])],
        [RepeatedPart(x[1], copies: 2)],
        [RepeatedPart(x[2]), RepeatedPart(x[0], copies: 3)],
      ])
    }
    #expect(error < 5e-3)
  }

  @Test("alignment by hand; equal matrices are aligned and have no gradient")
  func momentAlignmentValues() {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 2, columns: 1, elements: [1, 3]))
    let y = tape.parameter(Matrix(rows: 1, columns: 1, elements: [5]))
    // Means 2 and 5, variances 2 and 0.
    let apart = tape.momentAlignment([[RepeatedPart(x)], [RepeatedPart(y, copies: 4)]])
    #expect(abs(apart.scalar - 5) < 1e-6)
    let together = tape.momentAlignment([[RepeatedPart(x)], [RepeatedPart(x)]])
    #expect(together.scalar == 0)
    tape.backward(from: [(together, 1)])
    #expect(x.gradient.map { Array($0.elements) } == [0, 0])
  }

  @Test("signed noise has its length, moves away from 0, and passes the gradient through")
  func signedNoise() throws {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 2, columns: 2, elements: [2, -2, 0, 1]))
    let noise = Matrix(rows: 2, columns: 2, elements: [3, 4, 1, 0])
    let result = tape.addingSignedNoise(x, noise, scale: 0.5)
    let expected: [Float] = [2.3, -2.4, 0, 1]
    #expect(zip(result.value.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    tape.backward(from: [(tape.mean(result), 4)])
    #expect(Array(try #require(x.gradient).elements) == [1, 1, 1, 1])
  }
}
