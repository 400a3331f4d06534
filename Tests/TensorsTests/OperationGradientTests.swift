import Tensors
import TestSupport
import Testing

/// Every operation against finite differences, over several shapes.
@Suite struct OperationGradientTests {
  static let shapes = [(1, 1), (2, 3), (5, 4), (7, 16), (33, 8)]

  @Test("linear: input, weight and bias", arguments: shapes)
  func linear(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(6, width, seed: 2),
      randomMatrix(1, 6, seed: 3),
    ]) { tape, x in probe(tape, tape.linear(x[0], x[1], bias: x[2], biasScale: 0.5)) }
    #expect(error < 2e-3)
  }

  @Test("linear over two column ranges of one weight", arguments: shapes)
  func splitLinear(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, 3, seed: 2),
      randomMatrix(5, width + 3, seed: 3),
    ]) { tape, x in
      probe(
        tape,
        tape.add(
          tape.linear(x[0], x[2], columns: 3..<width + 3), tape.linear(x[1], x[2], columns: 0..<3)))
    }
    #expect(error < 2e-3)
  }

  @Test("sum, difference and mean", arguments: shapes)
  func sums(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2),
    ]) { tape, x in
      let sum = tape.sum([(x[0], 2), (x[1], -0.5), (x[0], 1)])
      return tape.add(probe(tape, tape.subtract(sum, x[1])), tape.mean(x[0]))
    }
    #expect(error < 2e-3)
  }

  @Test("gather with repeated rows", arguments: shapes)
  func gather(rows: Int, width: Int) {
    let indices = (0..<2 * rows).map { Int32(($0 * 7) % rows) }
    let error = gradientError([randomMatrix(rows, width, seed: 1)]) { tape, x in
      probe(tape, tape.gather(x[0], indices))
    }
    #expect(error < 2e-3)
  }

  @Test("columns concatenated and sliced", arguments: shapes)
  func columns(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, 2, seed: 2),
    ]) { tape, x in
      let joined = tape.concatenateColumns([x[0], x[1], x[0]])
      return probe(tape, tape.columns(joined, 1..<width + 2))
    }
    #expect(error < 2e-3)
  }

  @Test("one minus the cosine to fixed targets, which get no gradient", arguments: shapes)
  func cosineLoss(rows: Int, width: Int) {
    let left = (0..<rows + 3).map { Int32(($0 * 5) % rows) }
    let right = (0..<rows + 3).map { Int32($0 % rows) }
    let targets = randomMatrix(rows, width, seed: 2)
    let error = gradientError([randomMatrix(rows, width, seed: 1)]) { tape, x in
      tape.cosineLoss(x[0], left, targets: tape.constant(targets), right, count: 2 * rows)
    }
    #expect(error < 2e-3)
  }

  @Test("the un-squared norm of a matrix", arguments: shapes)
  func norm(rows: Int, width: Int) {
    let error = gradientError([randomMatrix(rows, width, seed: 1)]) { tape, x in
      tape.norm(x[0])
    }
    #expect(error < 2e-3)
  }

  @Test("inner products of gathered rows", arguments: shapes)
  func rowDot(rows: Int, width: Int) {
    let left = (0..<rows + 3).map { Int32(($0 * 5) % rows) }
    let right = (0..<rows + 3).map { Int32($0 % rows) }
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2),
    ]) { tape, x in probe(tape, tape.rowDot(x[0], left, x[1], right)) }
    #expect(error < 2e-3)
  }

  @Test("un-squared norm of gathered rows", arguments: shapes)
  func gatheredNorm(rows: Int, width: Int) {
    let indices = (0..<rows + 2).map { Int32(($0 * 3) % rows) }
    let error = gradientError([randomMatrix(rows, width, seed: 1)], step: 1e-3) { tape, x in
      tape.gatheredNorm(x[0], indices)
    }
    #expect(error < 5e-3)
  }

  @Test("ranking loss", arguments: [RankingLossForm.softplus, .guarded])
  func rankingLoss(form: RankingLossForm) {
    for rows in [1, 3, 20] {
      let error = gradientError([randomMatrix(rows, 1, seed: 1, scale: 2)]) { tape, x in
        tape.rankingLoss(x[0], form: form, count: rows)
      }
      #expect(error < 2e-3)
    }
  }

  @Test("relu, clamp and tanh cap away from their corners", arguments: shapes)
  func corners(rows: Int, width: Int) {
    let input = randomMatrix(rows, width, seed: 1, scale: 2)
    // Central differences across a corner are wrong by design: keep the elements away from it.
    for index in 0..<input.count {
      for corner: Float in [0, 1.5, -1] where abs(input.pointer[index] - corner) < 0.1 {
        input.pointer[index] = corner + 0.2
      }
    }
    let error = gradientError([input]) { tape, x in
      tape.add(
        probe(tape, tape.clamp(tape.relu(x[0]), -1, 1.5)), probe(tape, tape.tanhCap(x[0], 3)))
    }
    #expect(error < 5e-3)
  }

  @Test("Gaussian sample and divergence", arguments: shapes)
  func gaussian(rows: Int, width: Int) {
    let noise = randomMatrix(rows, width, seed: 9)
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2, scale: 0.5),
    ]) { tape, x in
      let sample = tape.gaussianSample(mean: x[0], logVariance: x[1], noise: noise).sample
      return tape.add(
        probe(tape, sample),
        tape.gaussianDivergence(
          mean: x[0], logVariance: x[1], priorDeviation: 0.8, scale: 1 / Float(rows)))
    }
    #expect(error < 2e-3)
  }

  @Test("Donsker–Varadhan bound", arguments: [2, 5, 40])
  func donskerVaradhan(count: Int) {
    let error = gradientError([
      randomMatrix(count, 1, seed: 1), randomMatrix(count, 1, seed: 2),
    ]) { tape, x in tape.donskerVaradhan(joint: x[0], marginal: x[1]) }
    #expect(error < 2e-3)
  }

  @Test("InfoNCE through unit rows", arguments: [(2, 3), (5, 4), (17, 8)])
  func infoNCE(rows: Int, width: Int) {
    let error = gradientError(
      [randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2)], step: 3e-3
    ) { tape, x in tape.infoNCE(x[0], x[1], temperature: 0.5) }
    #expect(error < 5e-3)
  }

  @Test("squared cross-correlation", arguments: [(4, 2), (9, 3), (30, 5)])
  func crossCorrelation(rows: Int, width: Int) {
    let error = gradientError(
      [randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2)], step: 3e-3
    ) { tape, x in tape.squaredCrossCorrelation(x[0], x[1]) }
    #expect(error < 1e-2)
  }

  @Test("Gaussian log-density", arguments: shapes)
  func logDensity(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2),
      randomMatrix(rows, width, seed: 3, scale: 0.3),
    ]) { tape, x in tape.gaussianLogDensity(x[0], mean: x[1], logVariance: x[2]) }
    #expect(error < 3e-3)
  }

  @Test("product with a sparse matrix, used twice")
  func sparseProduct() {
    let matrix = SparseMatrix(
      rows: 4, columns: 3,
      entries: [(0, 1, 0.5), (1, 0, -1), (1, 2, 2), (3, 2, 0.25), (3, 0, 1)])
    let error = gradientError([randomMatrix(3, 5, seed: 1)]) { tape, x in
      let once = tape.multiply(matrix, x[0])
      return tape.add(
        probe(tape, once), probe(tape, tape.multiply(matrix.transposed, once)))
    }
    #expect(error < 2e-3)
  }

  @Test("sigmoid and element-wise product, of one matrix with itself too", arguments: shapes)
  func gate(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1, scale: 2), randomMatrix(rows, width, seed: 2),
    ]) { tape, x in
      let gated = tape.hadamard(tape.sigmoid(x[0]), x[1])
      return tape.add(probe(tape, gated), probe(tape, tape.hadamard(x[1], x[1])))
    }
    #expect(error < 5e-3)
  }

  @Test("rows concatenated and sliced", arguments: shapes)
  func rowBlocks(rows: Int, width: Int) {
    let error = gradientError([
      randomMatrix(rows, width, seed: 1), randomMatrix(2, width, seed: 2),
    ]) { tape, x in
      let joined = tape.concatenateRows([x[0], x[1], x[0]])
      return tape.add(probe(tape, joined), probe(tape, tape.rows(joined, 1..<rows + 2)))
    }
    #expect(error < 2e-3)
  }

  @Test("softmax fusion of one to four parts", arguments: shapes)
  func softmaxFusion(rows: Int, width: Int) {
    for ways in 1...4 {
      let parts = (0..<ways).map { randomMatrix(rows, width, seed: UInt64($0)) }
      let scores = (0..<ways).map { randomMatrix(rows, 1, seed: UInt64(10 + $0)) }
      let error = gradientError(parts + scores) { tape, x in
        probe(tape, tape.softmaxFusion(Array(x[..<ways]), scores: Array(x[ways...])))
      }
      #expect(error < 5e-3, "\(ways) parts")
    }
  }

  @Test("half squares of gathered rows", arguments: shapes)
  func gatheredHalfSquares(rows: Int, width: Int) {
    let indices = (0..<rows + 2).map { Int32(($0 * 3) % rows) }
    let error = gradientError([randomMatrix(rows, width, seed: 1)]) { tape, x in
      tape.gatheredHalfSquares(x[0], indices, scale: 1 / Float(rows))
    }
    #expect(error < 5e-3)
  }
}
