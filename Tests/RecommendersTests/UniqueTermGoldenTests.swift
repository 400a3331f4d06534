import Recommenders
import Tensors
import TestSupport
import Testing

/// The likelihood of a preference given one modality, compared with stored values and gradients.
@Suite struct UniqueTermGoldenTests {
  private struct Inputs {
    let tape = Tape()
    let users: Variable
    let positives: Variable
    let negatives: Variable
    let rows: [Int32]

    init(_ golden: Golden) throws {
      users = tape.parameter(try golden.matrix("unimodal/a"))
      positives = tape.parameter(try golden.matrix("unimodal/z_p"))
      negatives = tape.parameter(try golden.matrix("unimodal/z_n"))
      rows = (0..<Int32(users.rows)).map { $0 }
    }

    /// The loss with users mapped by a decoder.
    func loss(_ decoded: Variable, hasLabels: Bool = false) -> Variable {
      let positive = tape.rowDot(decoded, rows, positives, rows)
      let negative = tape.rowDot(decoded, rows, negatives, rows)
      return hasLabels
        ? tape.labelLoss(positive: positive, negative: negative, count: rows.count)
        : tape.rankingLoss(
          tape.subtract(positive, negative), form: .softplus, count: rows.count)
    }

    func check(_ loss: Variable, against name: String, _ golden: Golden) throws {
      tape.backward(from: [(loss, 1)])
      let stored = try golden.number("unimodal/\(name)/loss")
      #expect(abs(Double(loss.scalar) - stored) < 1e-5 * stored)
      for (variable, key) in [(users, "a"), (positives, "z_p"), (negatives, "z_n")] {
        let difference = relativeDifference(
          variable.gradient, try golden.matrix("unimodal/\(name)/grad/\(key)"))
        #expect(difference < 1e-5, "\(name), \(key)")
      }
    }
  }

  @Test(
    "identity decoder: a ranked pair, or two labels",
    arguments: [("identity", false), ("bce", true)])
  func identity(name: String, hasLabels: Bool) throws {
    let golden = try Golden("mrdib_parts")
    let inputs = try Inputs(golden)
    try inputs.check(inputs.loss(inputs.users, hasLabels: hasLabels), against: name, golden)
  }

  @Test("linear decoder, stored as its difference from the identity")
  func linear() throws {
    let golden = try Golden("mrdib_parts")
    let inputs = try Inputs(golden)
    let decoder = try golden.matrix("unimodal/D")
    for index in 0..<decoder.rows { decoder[index, index] -= 1 }
    let delta = inputs.tape.parameter(decoder)
    let decoded = inputs.tape.add(inputs.users, inputs.tape.linear(inputs.users, delta))
    try inputs.check(inputs.loss(decoded), against: "linear", golden)
    #expect(
      relativeDifference(delta.gradient, try golden.matrix("unimodal/linear/grad/D")) < 1e-5)
  }
}
