import Recommenders
import Tables
import Tensors
import TestSupport
import Testing

/// The estimators of redundancy compared with stored values, and with gradients to encoders and
/// discriminator.
@Suite struct RedundancyEstimatorGoldenTests {
  @Test("Donsker–Varadhan with its two-layer statistic", arguments: ["dv", "dv_saturated"])
  func donskerVaradhan(name: String) throws {
    let golden = try Golden("mrdib_parts")
    let weights = try golden.matrix("dv/W1")
    if name == "dv_saturated" {
      for index in 0..<weights.count { weights.pointer[index] *= 8 }
    }
    let tape = Tape()
    let inputs = [
      tape.parameter(try golden.matrix("dv/z_v")), tape.parameter(try golden.matrix("dv/z_t")),
    ]
    let discriminator = [
      tape.parameter(weights), tape.parameter(try golden.matrix("dv/b1")),
      tape.parameter(try golden.matrix("dv/w2")), tape.parameter(try golden.matrix("dv/b2")),
    ]
    let terms = DonskerVaradhanEstimator(hiddenSize: 6, cap: 10).record(
      on: tape, left: inputs[0], right: inputs[1], discriminator: discriminator, shift: 2,
      average: nil)
    tape.backward(from: [(terms.estimate, 1), (try #require(terms.discriminatorLoss), 1)])
    let stored = try golden.number("\(name)/V")
    #expect(abs(Double(terms.estimate.scalar) - stored) < 1e-5 * abs(stored))
    for (input, key) in zip(inputs, ["z_v", "z_t"]) {
      #expect(
        relativeDifference(input.gradient, try golden.matrix("\(name)/grad_V/\(key)")) < 2e-5)
    }
    for (parameter, key) in zip(discriminator, ["W1", "b1", "w2", "b2"]) {
      let ascent = try golden.matrix("\(name)/grad_V/\(key)")
      let gradient = try #require(parameter.gradient)
      // The bias b2 moves both means alike: its exact gradient is a difference of equal numbers.
      let scale = key == "b2" ? 1e-5 : 2e-5 * Double(ascent.elements.map(abs).max() ?? 0)
      for (found, expected) in zip(gradient.elements, ascent.elements) {
        #expect(abs(Double(-found) - Double(expected)) <= scale, "\(key)")
      }
    }
  }

  @Test("the moving average changes only the discriminator's gradient")
  func movingAverage() throws {
    let golden = try Golden("mrdib_parts")
    let tape = Tape()
    let inputs = [
      tape.parameter(try golden.matrix("dv/z_v")), tape.parameter(try golden.matrix("dv/z_t")),
    ]
    let discriminator = try ["W1", "b1", "w2", "b2"].map {
      tape.parameter(try golden.matrix("dv/\($0)"))
    }
    let terms = DonskerVaradhanEstimator(hiddenSize: 6, cap: 10).record(
      on: tape, left: inputs[0], right: inputs[1], discriminator: discriminator, shift: 2,
      average: Float(try golden.number("dv/ema/T_used")))
    tape.backward(from: [(terms.estimate, 1), (try #require(terms.discriminatorLoss), 1)])
    let mean = try golden.number("dv/ema/mean_exp_marginal")
    #expect(abs(Double(terms.meanExponential ?? .nan) - mean) < 1e-5 * mean)
    for (input, key) in zip(inputs, ["z_v", "z_t"]) {
      #expect(relativeDifference(input.gradient, try golden.matrix("dv/grad_V/\(key)")) < 2e-5)
    }
    for (parameter, key) in zip(discriminator, ["W1", "b1", "w2", "b2"]) {
      let ascent = try golden.matrix("dv/ema/grad_V_ema_phi/\(key)")
      let gradient = try #require(parameter.gradient)
      #expect(relativeDifference(gradient.elements.map { -$0 }, ascent.elements) < 1e-5, "\(key)")
    }
  }

  @Test("vCLUB: estimate to the encoders, likelihood to the conditional density")
  func club() throws {
    let golden = try Golden("mrdib_parts")
    let tape = Tape()
    let inputs = [
      tape.parameter(try golden.matrix("dv/z_v")), tape.parameter(try golden.matrix("dv/z_t")),
    ]
    let names = ["M1", "m1", "M2", "m2", "S1", "s1", "S2", "s2"]
    let discriminator = try names.map { tape.parameter(try golden.matrix("club/\($0)")) }
    let terms = ContrastiveUpperBoundEstimator(hiddenSize: 6).record(
      on: tape, left: inputs[0], right: inputs[1], discriminator: discriminator, shift: 2,
      average: nil)
    let loss = try #require(terms.discriminatorLoss)
    tape.backward(from: [(terms.estimate, 1), (loss, 1)])
    // The estimate is a difference of sums of size ten.
    let estimate = try golden.number("club/vclub")
    #expect(abs(Double(terms.estimate.scalar) - estimate) < 1e-4)
    let stored = try golden.number("club/psi_nll")
    #expect(abs(Double(loss.scalar) - stored) < 1e-5 * stored)
    for (input, key) in zip(inputs, ["z_v", "z_t"]) {
      #expect(
        relativeDifference(input.gradient, try golden.matrix("club/grad_vclub/\(key)")) < 2e-5)
    }
    for (parameter, key) in zip(discriminator, names) {
      #expect(
        relativeDifference(parameter.gradient, try golden.matrix("club/grad_psi_nll/\(key)"))
          < 1e-5, "\(key)")
    }
  }
}
