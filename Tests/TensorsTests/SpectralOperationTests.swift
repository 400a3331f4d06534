import Foundation
import Tensors
import TestSupport
import Testing

/// Operations of SMORE and LATTICE against finite differences and by their definitions.
@Suite struct SpectralOperationTests {
  /// The definition: all D frequencies of each factor, the weight and its conjugates, and back.
  private func plain(_ factors: [Matrix], _ weight: Matrix) -> [Double] {
    let (rows, width) = (factors[0].rows, factors[0].columns)
    let scale = 1 / Double(width).squareRoot()
    var result: [Double] = []
    for row in 0..<rows {
      var spectrum = (0..<width).map { k -> (Double, Double) in
        let mirrored = min(k, width - k)
        let isReal = k == 0 || 2 * k == width
        return (
          Double(weight[mirrored, 0]),
          isReal ? 0 : Double(weight[mirrored, 1]) * (k == mirrored ? 1 : -1)
        )
      }
      for factor in factors {
        for k in 0..<width {
          var (real, imaginary) = (0.0, 0.0)
          for place in 0..<width {
            let angle = -2 * Double.pi * Double(k * place) / Double(width)
            real += scale * Double(factor[row, place]) * cos(angle)
            imaginary += scale * Double(factor[row, place]) * sin(angle)
          }
          spectrum[k] = (
            spectrum[k].0 * real - spectrum[k].1 * imaginary,
            spectrum[k].0 * imaginary + spectrum[k].1 * real
          )
        }
      }
      for place in 0..<width {
        result.append(
          (0..<width).reduce(0) { sum, k in
            let angle = 2 * Double.pi * Double(k * place) / Double(width)
            return sum + scale * (spectrum[k].0 * cos(angle) - spectrum[k].1 * sin(angle))
          })
      }
    }
    return result
  }

  @Test(
    "the filter is the transform, a product and the way back",
    arguments: [1, 2, 3, 8, 15, 64], [1, 2, 3])
  func definition(width: Int, count: Int) {
    let factors = (0..<count).map { randomMatrix(5, width, seed: UInt64(10 + $0)) }
    let weight = randomMatrix(width / 2 + 1, 2, seed: 3)
    let tape = Tape()
    let found = tape.spectralFilter(
      factors.map { tape.constant($0) }, weight: tape.constant(weight))
    let expected = plain(factors, weight)
    let largest = expected.map(abs).max() ?? 0
    for (index, value) in expected.enumerated() {
      #expect(abs(Double(found.value.elements[index]) - value) < 2e-6 * max(1, largest))
    }
  }

  @Test("the reference's spectra of two modalities and their fusion")
  func reference() throws {
    let golden = try Golden("smore")
    let inputs = try ["x_v", "x_t"].map { try golden.matrix("spectrum/\($0)") }
    for (name, factors) in [("v", [0]), ("t", [1]), ("f", [0, 1])] {
      let tape = Tape()
      let weight = tape.constant(try golden.matrix("params/w_\(name)"))
      let found = tape.spectralFilter(factors.map { tape.constant(inputs[$0]) }, weight: weight)
      let expected = try golden.matrix("spectrum/y_\(name)")
      #expect(relativeDifference(found.value, expected) < 1e-6)
    }
  }

  @Test(
    "the filter against finite differences, of a row with itself too", arguments: [1, 2, 7, 64])
  func gradient(width: Int) {
    let inputs = [
      randomMatrix(6, width, seed: 1), randomMatrix(6, width, seed: 2),
      randomMatrix(width / 2 + 1, 2, seed: 4),
    ]
    let error = gradientError(inputs) { tape, x in
      tape.sum([
        (probe(tape, tape.spectralFilter([x[0]], weight: x[2])), 1),
        (probe(tape, tape.spectralFilter([x[0], x[1]], weight: x[2])), 1),
        (probe(tape, tape.spectralFilter([x[1], x[1], x[0]], weight: x[2])), 0.5),
      ])
    }
    #expect(error < 5e-3)
  }

  @Test("inverse square roots by hand and against finite differences; none of what is not positive")
  func inverseSquareRoot() {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 1, columns: 4, elements: [4, 0.25, 0, -1]))
    let y = tape.inverseSquareRoot(x)
    #expect(Array(y.value.elements) == [0.5, 2, 0, 0])
    tape.backward(from: [(tape.mean(y), 4)])
    #expect(x.gradient.map { Array($0.elements) } == [-0.0625, -4, 0, 0])
    let positive = randomMatrix(5, 3, seed: 6)
    for index in 0..<positive.count {
      positive.pointer[index] = 1 + abs(positive.pointer[index])
    }
    #expect(
      gradientError([positive]) { tape, x in
        tape.add(probe(tape, tape.inverseSquareRoot(x[0])), probe(tape, x[0]))
      } < 3e-3)
  }

  @Test("soft-max over the columns of rows: by hand and against finite differences")
  func rowSoftmax() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 2, columns: 2, elements: [0, 0.6931472, 800, -800]))
    let expected: [Float] = [1.0 / 3, 2.0 / 3, 1, 0]
    #expect(
      zip(tape.rowSoftmax(x).value.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    for (rows, width) in [(1, 1), (3, 4), (7, 33)] {
      let error = gradientError([randomMatrix(rows, width, seed: 5, scale: 2)]) { tape, x in
        tape.add(probe(tape, tape.rowSoftmax(x[0])), probe(tape, x[0]))
      }
      #expect(error < 3e-3)
    }
  }
}
