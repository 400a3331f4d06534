import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MRdIB on VBPR compared with numbers that were computed from the equations.
@Suite struct MRdIBGoldenTests {
  /// The stored ε of a batch's distinct items, and shift.
  struct StoredNoise: StepNoise {
    let noise: [Matrix]
    let items: [Int32]

    func fill(_ target: Matrix, modality: Int, items: [Int32], context: StepContext) {
      for (row, item) in items.enumerated() {
        guard let stored = self.items.firstIndex(of: item) else {
          preconditionFailure("no noise of item \(item)")
        }
        for column in 0..<target.columns { target[row, column] = noise[modality][stored, column] }
      }
    }

    func shift(count: Int, pair: Int, context: StepContext) -> Int { 1 }
  }

  static let discriminator = ["W1", "b1", "w2", "b2"]

  private func make() throws -> (TrainingModel, PlainParameters, TinyData, Golden) {
    let data = try TinyData()
    let golden = try Golden("mrdib_vbpr")
    let backboneGolden = try Golden("vbpr")
    var options = SettingValues<MRdIB.Settings>()
    options.bottleneckWeight = try golden.number("config/alpha1")
    options.redundancyWeight = try golden.number("config/alpha2")
    options.uniqueWeight = try golden.number("config/alpha3")
    options.store[DonskerVaradhanEstimator.Settings.self].hiddenSize = 8
    options.store[DonskerVaradhanEstimator.Settings.self].skipsNegative = false
    let objective = MRdIB(
      settings: options, modalities: ["visual", "text"], width: 8,
      noise: StoredNoise(
        noise: [try golden.matrix("eps_v"), try golden.matrix("eps_t")],
        items: data.batch.distinctItems))
    let backbone = VBPR(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: 8, regularization: Float(try golden.number("config/lambda")))
    let model = TrainingModel(
      backbone: backbone, objective: objective, userCount: data.userCount,
      itemCount: data.itemCount)
    var tables = try ["P", "Q", "W", "b"].map { try backboneGolden.matrix("params/\($0)") }
    tables += try ["H_v", "h_v", "H_t", "h_t"].map { try golden.matrix("params/\($0)") }
    tables += try Self.discriminator.map { try golden.matrix("params/\($0)") }
    tables += model.tables[tables.count...].map { Matrix(rows: $0.rows, columns: $0.width) }
    #expect(zip(tables, model.tables).allSatisfy { $0.rows == $1.rows && $0.columns == $1.width })
    return (model, PlainParameters(tables: tables), data, golden)
  }

  @Test("every loss part and the total")
  func parts() throws {
    let (model, parameters, data, golden) = try make()
    let (_, shares, _) = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    for (ours, theirs) in [
      ("ranking", "bpr"), ("kl.visual", "kl_v"), ("kl.text", "kl_t"), ("unique.visual", "L_U_v"),
      ("unique.text", "L_U_t"), ("redundancy.visual-text", "V"), ("total", "total"),
    ] {
      let stored = try golden.number("loss/\(theirs)")
      // V is a difference of numbers of size one: its error is absolute.
      #expect(abs((shares[ours] ?? .nan) - stored) < 1e-5 * max(abs(stored), 0.1), "\(theirs)")
    }
  }

  @Test("gradients of the model: backbone and encoders")
  func modelGradients() throws {
    let (model, parameters, data, golden) = try make()
    let (_, _, gradients) = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    let names = ["P", "Q", "W", "b", "H_v", "h_v", "H_t", "h_t"]
    for (name, gradient) in zip(names, gradients) {
      #expect(
        relativeDifference(gradient, try golden.matrix("grad_total_theta/\(name)")) < 1e-5,
        "\(name)")
    }
  }

  @Test("the discriminator ascends: its gradient is that of −V, without α₂")
  func discriminatorGradients() throws {
    let (model, parameters, data, golden) = try make()
    let (_, _, gradients) = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    for (index, name) in Self.discriminator.enumerated() {
      let ascent = try golden.matrix("grad_V_phi/\(name)")
      let negated = ascent.elements.map { -$0 }
      // b2 moves joint and marginal statistics alike: its gradient is a difference of sums of size
      // one, exact to a few units of Float.
      let tolerance = name == "b2" ? 1e-4 : 1e-5
      #expect(
        relativeDifference(gradients[8 + index].elements, negated) < tolerance, "\(name)")
    }
  }

  @Test("earlier rounds of a step train only the discriminator")
  func earlierRounds() throws {
    let (model, parameters, data, _) = try make()
    let final = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    let early = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0, isFinalRound: false))
    for table in 0..<8 { #expect(early.gradients[table].elements.allSatisfy { $0 == 0 }) }
    for table in 8..<12 {
      #expect(Array(early.gradients[table].elements) == Array(final.gradients[table].elements))
    }
  }
}
