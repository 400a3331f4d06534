import Tensors
import TestSupport
import Testing

@Suite("The gate of one tensor's gradients") struct GradientGateTests {
  /// A main gradient, and an auxiliary one that points along it as far as `along` says.
  private func gradients(
    _ rows: Int = 9, _ columns: Int = 13, along: Float, scale: Float = 1
  ) -> (main: Matrix, auxiliary: Matrix) {
    let main = randomMatrix(rows, columns, seed: 1)
    let auxiliary = randomMatrix(rows, columns, seed: 2)
    BLAS.accumulate(
      main.pointer, scaledBy: along, into: auxiliary.pointer, count: auxiliary.count)
    for index in 0..<auxiliary.count { auxiliary.pointer[index] *= scale }
    return (main, auxiliary)
  }

  private func copy(_ matrix: Matrix) -> Matrix {
    let copy = Matrix(rows: matrix.rows, columns: matrix.columns)
    copy.copy(from: matrix)
    return copy
  }

  private func gated(
    _ main: Matrix, _ auxiliary: Matrix, limit: Float, rows: [Int32]? = nil
  ) -> (result: Matrix, decision: GradientGate.Decision) {
    let result = copy(main)
    let decision = GradientGate(limit: limit).combine(auxiliary, into: result, rows: rows)
    return (result, decision)
  }

  private func dot(_ x: Matrix, _ y: Matrix) -> Double {
    withExtendedLifetime((x, y)) {
      zip(x.elements, y.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  private func length(_ x: Matrix) -> Double { dot(x, x).squareRoot() }

  private func bits(_ x: Matrix) -> [UInt32] {
    withExtendedLifetime(x) { x.elements.map(\.bitPattern) }
  }

  /// What was added to the main gradient.
  private func added(_ result: Matrix, to main: Matrix) -> Matrix {
    let difference = copy(result)
    BLAS.accumulate(main.pointer, scaledBy: -1, into: difference.pointer, count: main.count)
    return difference
  }

  @Test(
    "what is added is never longer than the limit allows and never points against the main one",
    arguments: [0.3, 1, 10, .infinity] as [Float], [-1e6, -2, -0.1, 0, 0.5, 1e6] as [Float])
  func properties(limit: Float, along: Float) {
    for scale: Float in [1e-4, 1, 1e5] {
      let (main, auxiliary) = gradients(along: along, scale: scale)
      let (result, decision) = gated(main, auxiliary, limit: limit)
      let addition = added(result, to: main)
      let rounding = 1e-6 * (length(result) + length(main))
      #expect(length(addition) <= Double(limit) * length(main) + rounding)
      #expect(dot(addition, main) >= -rounding * length(main))
      #expect(decision.isConflict == (dot(auxiliary, main) < 0))
      #expect(decision.scale > 0 && decision.scale <= 1)
    }
  }

  @Test("the result is that of the formula", arguments: [-3, -0.2, 2] as [Float])
  func formula(along: Float) {
    let (main, auxiliary) = gradients(along: along, scale: 4)
    var expected = withExtendedLifetime(auxiliary) { auxiliary.elements.map(Double.init) }
    let product = dot(auxiliary, main)
    if product < 0 {
      for index in expected.indices {
        expected[index] -= product / dot(main, main) * Double(main.pointer[index])
      }
    }
    let size = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let factor = min(1, 0.5 * length(main) / size)
    let result = gated(main, auxiliary, limit: 0.5).result
    for index in expected.indices {
      let sum = Double(main.pointer[index]) + factor * expected[index]
      #expect(abs(Double(result.pointer[index]) - sum) < 1e-6)
    }
  }

  @Test("with a limit of 0 the main gradient is left to the bit, signs of zeros included")
  func closed() {
    for along: Float in [-1, 0, 1] {
      let (main, auxiliary) = gradients(along: along)
      main.pointer[3] = -0.0
      let (result, decision) = gated(main, auxiliary, limit: 0)
      #expect(bits(result) == bits(main))
      #expect(decision.scale == 0)
    }
    // Exactly opposite gradients leave nothing to shorten.
    let main = randomMatrix(2, 3, seed: 1)
    let opposite = withExtendedLifetime(main) {
      Matrix(rows: 2, columns: 3, elements: main.elements.map { -2 * $0 })
    }
    #expect(bits(gated(main, opposite, limit: 0).result) == bits(main))
  }

  @Test("without a limit, gradients that agree are added as they are")
  func open() {
    let (main, auxiliary) = gradients(along: 1, scale: 100)
    let (result, decision) = gated(main, auxiliary, limit: .infinity)
    let sum = withExtendedLifetime((main, auxiliary)) {
      zip(main.elements, auxiliary.elements).map { ($0 + $1).bitPattern }
    }
    #expect(bits(result) == sum)
    #expect(decision == GradientGate.Decision())
  }

  @Test("a gradient that is shortened may have any length", arguments: [-1, 1] as [Float])
  func scaleFree(along: Float) {
    let (main, auxiliary) = gradients(along: along, scale: 10)
    let result = gated(main, auxiliary, limit: 1).result
    let (_, longer) = gradients(along: along, scale: 1e7)
    let other = gated(main, longer, limit: 1).result
    #expect(relativeDifference(result, other) < 1e-6)
  }

  @Test("a main gradient of zeros lets nothing pass; an auxiliary one of zeros changes no bit")
  func zeros() {
    let (main, auxiliary) = gradients(along: 1)
    let zero = Matrix(rows: main.rows, columns: main.columns)
    #expect(bits(gated(zero, auxiliary, limit: .infinity).result).allSatisfy { $0 == 0 })
    main.pointer[5] = -0.0
    let (result, decision) = gated(main, zero, limit: 1)
    #expect(bits(result) == bits(main))
    #expect(decision.scale == 1 && !decision.isConflict)
    let empty = Matrix(rows: 0, columns: 4)
    #expect(gated(empty, Matrix(rows: 0, columns: 4), limit: 1).result.count == 0)
  }

  @Test(
    "numbers that are not finite stay in the result", arguments: [0, 1, .infinity] as [Float],
    [Float.nan, .infinity])
  func notFinite(limit: Float, number: Float) {
    let (main, auxiliary) = gradients(along: 1)
    auxiliary.pointer[7] = number
    let zero = Matrix(rows: main.rows, columns: main.columns)
    for (main, auxiliary) in [(main, auxiliary), (auxiliary, main), (zero, auxiliary)] {
      let result = gated(main, auxiliary, limit: limit).result
      withExtendedLifetime(result) { #expect(!result.elements[7].isFinite) }
    }
  }

  @Test("listed rows and whole matrices, and any number of lanes, have the same bits")
  func sameBits() {
    let rows = (0..<3000 as Range<Int32>).filter { $0 % 7 == 2 || $0 > 2900 || $0 == 300 }
    let listed = Set(rows)
    for along: Float in [-2, 1] {
      let (main, auxiliary) = gradients(3000, 67, along: along, scale: 3)
      for row in 0..<3000 where !listed.contains(Int32(row)) {
        for matrix in [main, auxiliary] {
          matrix.row(row).update(repeating: 0)
        }
      }
      let results = [1, 2, 3].flatMap { count in
        let lanes = Lanes(count: count)
        return Lanes.$ofScope.withValue(lanes) {
          let results = [nil, rows].map {
            bits(gated(main, auxiliary, limit: 0.5, rows: $0).result)
          }
          #expect(count == 1 || lanes.jobCount > 0)
          return results
        }
      }
      #expect(results.allSatisfy { $0 == results[0] })
      #expect(results[0] != bits(main))
    }
  }
}
