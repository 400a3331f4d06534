import Tensors
import TestSupport
import Testing

/// The parts of the gated objective alone: categorical likelihood, relative code, gate.
@Suite struct GatedPartsGoldenTests {
  private func golden() throws -> Golden { try Golden("mrdib_gated_parts") }

  private func scaled(_ matrix: Matrix, by factor: Double) -> Matrix {
    Matrix(
      rows: matrix.rows, columns: matrix.columns,
      elements: elements(matrix).map { Float(Double($0) * factor) })
  }

  @Test(
    "a choice among candidates: value and gradients",
    arguments: ["usual", "dull", "sharp", "tiny_rows"])
  func likelihood(name: String) throws {
    let golden = try golden()
    let path = "likelihood/cases/\(name)"
    let factor = try golden.number("\(path)/factor")
    let candidates = try golden.integers("likelihood/candidates")
    let chosen = try golden.integers("likelihood/positives").map { positive in
      Int32(try #require(candidates.firstIndex(of: positive)))
    }
    let anchors = try golden.integers("likelihood/anchor_users")
    let tape = Tape()
    let users = tape.parameter(scaled(try golden.matrix("likelihood/users"), by: factor))
    let items = tape.parameter(scaled(try golden.matrix("likelihood/items"), by: factor))
    let loss = tape.candidateLoss(
      users, items,
      choice: CandidateChoice(
        anchors: anchors, candidates: candidates, chosen: chosen,
        groups: [.init(anchors: 0..<anchors.count, candidates: 0..<candidates.count)]),
      temperature: Float(try golden.number("\(path)/temperature")),
      scale: 1 / Float(anchors.count))
    tape.backward(from: [(loss, 1)])
    let stored = try golden.number("\(path)/value")
    #expect(abs(Double(loss.scalar) - stored) < 1e-5 * stored)
    // Logits of hundreds have an error of Float relative to their size, not to their differences.
    let tolerance = name == "sharp" ? 1e-4 : 1e-5
    for (variable, key) in [(users, "users"), (items, "items")] {
      let gradient = try golden.matrix("\(path)/grad/\(key)")
      #expect(relativeDifference(variable.gradient, gradient) < tolerance, "\(key)")
    }
  }

  @Test(
    "a code relative to the size of its mean: sample and divergence with gradients",
    arguments: ["usual", "small"])
  func code(name: String) throws {
    let golden = try golden()
    let path = "code/cases/\(name)"
    let mean = scaled(try golden.matrix("code/mean"), by: try golden.number("\(path)/factor"))
    let scale = Float(try golden.number("\(path)/scale"))
    for part in ["divergence", "sample"] {
      let tape = Tape()
      let leaves = [
        tape.parameter(mean), tape.parameter(try golden.matrix("code/weight")),
        tape.parameter(try golden.matrix("code/bias")),
      ]
      let measured = tape.sum([(leaves[0], 1 / scale)])
      let logVariance = tape.clamp(tape.linear(measured, leaves[1], bias: leaves[2]), -20, 0)
      #expect(
        relativeDifference(logVariance.value, try golden.matrix("\(path)/log_variance")) < 1e-5)
      if part == "divergence" {
        let divergence = tape.gaussianDivergence(
          mean: measured, logVariance: logVariance, priorDeviation: 1,
          scale: 1 / Float(mean.count))
        let stored = try golden.number("\(path)/divergence")
        #expect(abs(Double(divergence.scalar) - stored) < 1e-5 * stored)
        tape.backward(from: [(divergence, 1)])
      } else {
        let (sample, _) = tape.gaussianSample(
          mean: leaves[0], logVariance: logVariance, noise: try golden.matrix("code/noise"),
          scale: scale)
        #expect(relativeDifference(sample.value, try golden.matrix("\(path)/sample")) < 1e-5)
        tape.backward(seeding: [(sample, try golden.matrix("code/upstream"))])
      }
      for (leaf, key) in zip(leaves, ["mean", "weight", "bias"]) {
        let stored = try golden.matrix("\(path)/grad_\(part)/\(key)")
        #expect(relativeDifference(leaf.gradient, stored) < 1e-5, "\(part): \(key)")
      }
    }
  }

  @Test("the gate of one tensor")
  func gate() throws {
    let golden = try golden()
    let cases = try golden.names("gate")
    #expect(cases.count == 11)
    for name in cases {
      let main = try golden.matrix("gate/\(name)/main")
      let limit =
        name == "no_limit" ? Float.infinity : Float(try golden.number("gate/\(name)/limit"))
      GradientGate(limit: limit).combine(
        try golden.matrix("gate/\(name)/auxiliary"), into: main)
      #expect(relativeDifference(main, try golden.matrix("gate/\(name)/sum")) < 1e-5, "\(name)")
    }
  }
}
