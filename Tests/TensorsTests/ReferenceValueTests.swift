import Tensors
import TestSupport
import Testing

/// Operations compared with stored numbers: small examples worked out by hand for the
/// specification, and the golden files.
@Suite struct ReferenceValueTests {
  @Test("ranking loss of s⁺ = (.3, −.2), s⁻ = (.1, .4)")
  func rankingLoss() {
    let tape = Tape()
    let margins = tape.constant(Matrix(rows: 2, columns: 1, elements: [0.2, -0.6]))
    let loss = tape.rankingLoss(margins, form: .softplus, count: 2)
    #expect(abs(Double(loss.scalar) - 0.817813410) < 1e-6)
  }

  @Test("sum of three un-squared norms over the batch size")
  func norms() {
    let tape = Tape()
    let parts = [[3, 4, 0, 0], [1, 0, 0, 2], [0, 1, 1, 1]].map { (elements: [Float]) in
      tape.gatheredNorm(
        tape.constant(Matrix(rows: 2, columns: 2, elements: elements)), [0, 1])
    }
    tape.resolve(tape.reductions.map(\.part))
    let total = parts.reduce(0) { $0 + Double($1.scalar) } / 2
    #expect(abs(total - 4.484059393) < 1e-6)
  }

  @Test("norm of (3, 4) and (0, 12) is 13; of zeros 0, with a gradient of 0")
  func norm() throws {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 2, columns: 2, elements: [3, 4, 0, 12]))
    #expect(tape.norm(x).scalar == 13)
    let zeros = tape.parameter(Matrix(rows: 2, columns: 2, elements: [0, 0, 0, 0]))
    let norm = tape.norm(zeros)
    #expect(norm.scalar == 0)
    tape.backward(from: [(norm, 1)])
    let gradient = try #require(zeros.gradient)
    #expect(withExtendedLifetime(gradient) { gradient.elements.allSatisfy { $0 == 0 } })
  }

  @Test("one minus cosines: 0 along, 1 across, 2 against, 1 for zeros; divided by the count")
  func cosineLoss() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 3, columns: 2, elements: [2, 0, 0, 5, 0, 0]))
    let targets = tape.constant(Matrix(rows: 2, columns: 2, elements: [1, 0, 0, -3]))
    func loss(_ rows: [Int32], _ others: [Int32]) -> Float {
      tape.cosineLoss(x, rows, targets: targets, others, count: 2).scalar
    }
    #expect(loss([0], [0]) == 0 && loss([1], [0]) == 0.5 && loss([1], [1]) == 1)
    #expect(loss([2], [0]) == 0.5 && loss([0, 1], [0, 1]) == 1)
  }

  @Test("half sums of three squared norms over the batch size")
  func halfSquares() {
    let tape = Tape()
    let parts = [[3, 4, 0, 0], [1, 0, 0, 2], [0, 1, 1, 1]].map { (elements: [Float]) in
      tape.gatheredHalfSquares(
        tape.constant(Matrix(rows: 2, columns: 2, elements: elements)), [0, 1], scale: 0.5)
    }
    #expect(abs(parts.reduce(0) { $0 + Double($1.scalar) } - 8.25) < 1e-6)
  }

  @Test("sigmoid at 0 and of large numbers: no overflow, and the tails add up to one")
  func sigmoid() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 1, columns: 5, elements: [0, 2, -2, 200, -200]))
    let y = Array(tape.sigmoid(x).value.elements)
    #expect(y[0] == 0.5 && y[3] == 1 && y[4] >= 0 && y[4] < 1e-30)
    #expect(abs(Double(y[1]) - 0.880797078) < 1e-6 && abs(y[1] + y[2] - 1) < 1e-6)
  }

  @Test("softmax fusion: equal scores give the average, a score of 1000 selects its part")
  func softmaxFusion() {
    let tape = Tape()
    let parts = [[2, 4, 6, 8], [0, 2, -6, 8]].map { (elements: [Float]) in
      tape.constant(Matrix(rows: 2, columns: 2, elements: elements))
    }
    let scores = [[3, 1000], [3, -1000]].map { (elements: [Float]) in
      tape.constant(Matrix(rows: 2, columns: 1, elements: elements))
    }
    #expect(Array(tape.softmaxFusion(parts, scores: scores).value.elements) == [1, 3, 6, 8])
  }

  @Test("InfoNCE of no rows is 0 and gives no gradient")
  func emptyInfoNCE() {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 0, columns: 2))
    let loss = tape.infoNCE(x, x, temperature: 0.2)
    #expect(loss.scalar == 0)
    tape.backward(from: [(loss, 1)])
    #expect(x.gradient?.count == 0)
  }

  @Test("InfoNCE of two rows at τ = .2")
  func infoNCE() {
    let tape = Tape()
    let x = tape.constant(Matrix(rows: 2, columns: 2, elements: [1, 0, 1, 1]))
    let y = tape.constant(Matrix(rows: 2, columns: 2, elements: [0, 1, 2, 0]))
    #expect(abs(Double(tape.infoNCE(x, y, temperature: 0.2).scalar) - 2.849931265) < 1e-5)
  }

  @Test("divergence of two elements")
  func divergence() {
    let tape = Tape()
    let value = tape.gaussianDivergence(
      mean: tape.constant(Matrix(rows: 1, columns: 2, elements: [0.5, -1])),
      logVariance: tape.constant(Matrix(rows: 1, columns: 2, elements: [-2, 0.5])),
      priorDeviation: 1, scale: 1)
    #expect(abs(Double(value.scalar) - 1.267028277) < 1e-6)
  }

  @Test("Donsker–Varadhan value of two pairs")
  func donskerVaradhan() {
    let tape = Tape()
    let value = tape.donskerVaradhan(
      joint: tape.constant(Matrix(rows: 2, columns: 1, elements: [1, 0.5])),
      marginal: tape.constant(Matrix(rows: 2, columns: 1, elements: [0, -1])))
    #expect(abs(Double(value.scalar) - 1.129885493) < 1e-6)
  }

  @Test("encoder: log-variance, divergence (mean, sum, matched prior) and their gradients")
  func encoder() throws {
    let golden = try Golden("mrdib_parts")
    for (reduction, scale, deviation) in [
      ("kl/grad_mean", Float(1) / 20, Float(1)), ("kl/grad_sum", 1 / 5, 1),
      ("kl_matched_prior/grad", 1 / 20, 0.7),
    ] {
      let tape = Tape()
      let mean = tape.parameter(try golden.matrix("kl/mu"))
      let weight = tape.parameter(try golden.matrix("kl/H"))
      let bias = tape.parameter(try golden.matrix("kl/h"))
      let logVariance = tape.clamp(tape.linear(mean, weight, bias: bias), -20, 0)
      #expect(relativeDifference(logVariance.value, try golden.matrix("kl/logvar")) < 1e-5)
      let value = tape.gaussianDivergence(
        mean: mean, logVariance: logVariance, priorDeviation: deviation, scale: scale)
      tape.backward(from: [(value, 1)])
      let stored = try golden.number(
        reduction == "kl/grad_mean"
          ? "kl/mean" : reduction == "kl/grad_sum" ? "kl/sum" : "kl_matched_prior/mean")
      #expect(abs(Double(value.scalar) - stored) < 1e-5 * stored)
      for (name, variable) in [("mu", mean), ("H", weight), ("h", bias)] {
        let difference = relativeDifference(
          variable.gradient, try golden.matrix("\(reduction)/\(name)"))
        #expect(difference < 1e-5, "\(reduction)/\(name)")
      }
    }
  }

  @Test("sample of an encoder and its gradients")
  func sample() throws {
    let golden = try Golden("mrdib_parts")
    let tape = Tape()
    let mean = tape.parameter(try golden.matrix("kl/mu"))
    let weight = tape.parameter(try golden.matrix("kl/H"))
    let bias = tape.parameter(try golden.matrix("kl/h"))
    let sample = tape.gaussianSample(
      mean: mean, logVariance: tape.clamp(tape.linear(mean, weight, bias: bias), -20, 0),
      noise: try golden.matrix("sample/eps")
    ).sample
    #expect(relativeDifference(sample.value, try golden.matrix("sample/z")) < 1e-5)
    let upstream = tape.constant(try golden.matrix("sample/upstream"))
    let rows = (0..<Int32(5)).map { $0 }
    let product = tape.mean(tape.rowDot(sample, rows, upstream, rows))
    tape.backward(from: [(product, 5)])
    for (name, variable) in [("mu", mean), ("H", weight), ("h", bias)] {
      #expect(
        relativeDifference(variable.gradient, try golden.matrix("sample/grad/\(name)")) < 1e-5)
    }
  }

  @Test("InfoNCE with and without repeated rows", arguments: ["infonce", "infonce_duplicate_rows"])
  func storedInfoNCE(name: String) throws {
    let golden = try Golden("mrdib_parts")
    let tape = Tape()
    let matrices = try ["X", "Y"].map { side in
      let matrix = try golden.matrix("infonce/\(side)")
      if name != "infonce" {
        for column in 0..<matrix.columns { matrix[3, column] = matrix[0, column] }
      }
      return tape.parameter(matrix)
    }
    let loss = tape.infoNCE(matrices[0], matrices[1], temperature: 0.2)
    tape.backward(from: [(loss, 1)])
    #expect(abs(Double(loss.scalar) - (try golden.number("\(name)/value"))) < 5e-5)
    for (side, variable) in zip(["X", "Y"], matrices) {
      #expect(
        relativeDifference(variable.gradient, try golden.matrix("\(name)/grad/\(side)")) < 1e-5)
    }
  }

  @Test("squared cross-correlation")
  func crossCorrelation() throws {
    let golden = try Golden("mrdib_parts")
    let tape = Tape()
    let left = tape.parameter(try golden.matrix("dv/z_v"))
    let right = tape.parameter(try golden.matrix("dv/z_t"))
    let value = tape.squaredCrossCorrelation(left, right)
    tape.backward(from: [(value, 1)])
    let stored = try golden.number("xcorr/value")
    #expect(abs(Double(value.scalar) - stored) < 1e-5 * stored)
    #expect(relativeDifference(left.gradient, try golden.matrix("xcorr/grad/z_v")) < 1e-5)
    #expect(relativeDifference(right.gradient, try golden.matrix("xcorr/grad/z_t")) < 1e-5)
  }
}
