import Datasets
import Models
import Tables
import Tensors
import TestSupport
import Testing

/// BPR and VBPR held to the numbers of the reference toolbox.
@Suite struct BackboneGoldenTests {
  struct Case: Sendable {
    let model: String
    /// Golden names of the tables, in the model's order.
    let names: [String]
  }

  static let cases = [
    Case(model: "bpr", names: ["P", "Q"]), Case(model: "vbpr", names: ["P", "Q", "W", "b"]),
  ]

  private func make(_ test: Case) throws -> (TrainingModel, PlainParameters, TinyData, Golden) {
    let data = try TinyData()
    let golden = try Golden(test.model)
    let model = try ModelRegistry.make(
      test.model,
      input: ModelInput(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features),
      options: ModelOptions(
        embeddingSize: Int(try golden.number("config/d")),
        regularization: Float(try golden.number("config/lambda"))),
      objective: nil, seed: 1)
    var tables = try test.names.map { try golden.matrix("params/\($0)") }
    tables += model.tables[tables.count...].map { Matrix(rows: $0.rows, columns: $0.width) }
    return (model, PlainParameters(tables: tables), data, golden)
  }

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: Case) throws {
    let (model, parameters, data, golden) = try make(test)
    let (_, shares, gradients) = parameters.gradients(
      model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    for (ours, theirs) in [("total", "total"), ("ranking", "bpr")] {
      let stored = try golden.number("loss/\(theirs)")
      #expect(abs((shares[ours] ?? .nan) - stored) < 1e-5 * stored, "\(theirs)")
    }
    // The stored norm term is divided by the batch size already.
    let norms = try golden.number("loss/emb") * Double(data.batch.count)
    #expect(abs((shares["norms"] ?? .nan) - norms) < 1e-5 * norms)
    for (name, gradient) in zip(test.names, gradients) {
      #expect(relativeDifference(gradient, try golden.matrix("grads/\(name)")) < 1e-5, "\(name)")
    }
  }

  @Test("parameters and losses over three Adam steps", arguments: cases)
  func adam(test: Case) throws {
    let (model, parameters, data, golden) = try make(test)
    var optimizer = PlainAdam(parameters)
    for stored in try golden.numbers("adam/loss_before_step") {
      let (_, shares, gradients) = parameters.gradients(
        model, data.batch, context: StepContext(seed: 1, epoch: 0, step: 0))
      #expect(abs((shares["total"] ?? .nan) - stored) < 1e-5 * stored)
      optimizer.update(parameters, gradients, rate: 1e-3)
    }
    for (name, table) in zip(test.names, parameters.tables) {
      #expect(relativeDifference(table, try golden.matrix("adam/params/\(name)")) < 1e-5)
    }
  }

  @Test("final user and item matrices", arguments: cases)
  func finalMatrices(test: Case) throws {
    let (model, parameters, _, golden) = try make(test)
    let final = parameters.finalVectors(model)
    #expect(relativeDifference(final.user, try golden.matrix("ranking/user")) < 1e-5)
    #expect(relativeDifference(final.item, try golden.matrix("ranking/item")) < 1e-5)
  }

  @Test("parameter counts on the sizes of Baby, Sports and Clothing")
  func parameterCounts() {
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    let bpr = [1_695_680, 3_453_120, 3_994_880]
    let vbpr = [3_226_944, 6_018_176, 6_802_432]
    for (index, (users, items)) in sizes.enumerated() {
      let plain = BPR(
        userCount: users, itemCount: items, embeddingSize: 64, regularization: 0)
      #expect(plain.tables.reduce(0) { $0 + $1.parameterCount } == bpr[index])
      let visual = VBPR.tables(
        userCount: users, itemCount: items, featureWidth: 4096 + 384, embeddingSize: 64)
      #expect(visual.reduce(0) { $0 + $1.parameterCount } == vbpr[index])
    }
  }
}
