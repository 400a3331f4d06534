import Tensors
import TestSupport
import Testing

/// The operations of transformer blocks and of contrastive terms over all rows.
@Suite struct DecompositionOperationTests {
  @Test("layer norm: input, gain and shift", arguments: [(1, 4), (5, 3), (7, 16), (33, 8)])
  func layerNormGradient(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1, scale: 2), randomMatrix(1, width, seed: 2),
      randomMatrix(1, width, seed: 3),
    ]) { tape, x in probe(tape, tape.layerNorm(x[0], gain: x[1], shift: x[2])) }
    #expect(error < 5e-3)
  }

  @Test("layer norm: mean 0 and variance just below 1; a constant row becomes the shift")
  func layerNormValues() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 2, columns: 4, elements: [1, 3, 5, 7, 2, 2, 2, 2]))
    let ones = tape.constant(Matrix(rows: 1, columns: 4, elements: [1, 1, 1, 1]))
    let shift = tape.constant(Matrix(rows: 1, columns: 4, elements: [0, 0, 0, 0.5]))
    let y = tape.layerNorm(x, gain: ones, shift: shift, epsilon: 0.2).value
    withExtendedLifetime(y) {
      // The variance of 1, 3, 5, 7 is 5.
      let unit: Float = 1 / (5.2 as Float).squareRoot()
      let expected = [-3 * unit, -unit, unit, 3 * unit + 0.5, 0, 0, 0, 0.5]
      #expect(zip(y.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test("the orthogonal part: both inputs", arguments: [(1, 4), (5, 3), (7, 16)])
  func orthogonalGradient(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2),
    ]) { tape, x in probe(tape, tape.orthogonalPart(of: x[0], to: x[1])) }
    #expect(error < 1e-2)
  }

  @Test("the orthogonal part has no component along what was removed, and zeros remove nothing")
  func orthogonalValues() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 2, columns: 2, elements: [3, 1, 3, 1]))
    let z = tape.constant(Matrix(rows: 2, columns: 2, elements: [2, 0, 0, 0]))
    let y = tape.orthogonalPart(of: x, to: z).value
    withExtendedLifetime(y) {
      #expect(zip(y.elements, [0, 1, 3, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test("InfoNCE in both directions: both inputs", arguments: [(1, 4), (5, 3), (33, 8)])
  func symmetricGradient(rows: Int, width: Int) {
    let error = gradientError(
      [randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2)], step: 3e-3
    ) { tape, x in tape.symmetricInfoNCE(x[0], x[1], temperature: 0.5, blockElements: 4 * rows) }
    #expect(error < 1e-2)
  }

  @Test(
    "InfoNCE in both directions is the mean of the two, in blocks of any size",
    arguments: [1, 7, 37 * 5, 37 * 37, 1 << 20])
  func symmetricValue(blockElements: Int) throws {
    let inputs = [randomMatrix(37, 6, seed: 1), randomMatrix(37, 6, seed: 2)]
    func run(
      _ loss: (Tape, Variable, Variable) -> Variable
    ) -> (value: Float, gradients: [[Float]]) {
      let tape = Tape()
      let x = inputs.map { tape.parameter($0) }
      let value = loss(tape, x[0], x[1])
      tape.backward(from: [(value, 2)])
      return (value.scalar, x.map { $0.gradient.map { Array($0.elements) } ?? [] })
    }
    let found = run {
      $0.symmetricInfoNCE($1, $2, temperature: 0.1, blockElements: blockElements)
    }
    let expected = run {
      $0.sum([
        ($0.infoNCE($1, $2, temperature: 0.1), 0.5), ($0.infoNCE($2, $1, temperature: 0.1), 0.5),
      ])
    }
    #expect(abs(found.value - expected.value) < 1e-5 * expected.value)
    for (left, right) in zip(found.gradients, expected.gradients) {
      #expect(relativeDifference(left, right) < 1e-5)
    }
  }

  @Test("InfoNCE in both directions: no rows are 0, and opposite partners stay finite")
  func symmetricEdges() {
    let tape = Tape()
    let none = tape.parameter(Matrix(rows: 0, columns: 3))
    #expect(tape.symmetricInfoNCE(none, none, temperature: 0.1).scalar == 0)
    let x = tape.constant(Matrix(rows: 2, columns: 1, elements: [1, -1]))
    let y = tape.constant(Matrix(rows: 2, columns: 1, elements: [-1, 1]))
    let smallest = Tape.smallestTemperature
    let loss = tape.symmetricInfoNCE(x, y, temperature: smallest).scalar
    // The partner's logit is 2/τ below the other one.
    #expect(abs(loss - 2 / smallest) < 1e-3)
  }
}
