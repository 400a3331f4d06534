import Datasets
import Recommenders
import Tables
import Tensors
import TestSupport
import Testing

/// DualGNN compared with the numbers of the reference toolbox.
@Suite struct DualGNNTests {
  /// Golden names of the tables, in the model's order.
  static let names =
    ["v", "t"].flatMap { branch in
      ["Phi", "mlp1.W", "mlp1.b", "mlp2.W", "mlp2.b"].map { "\(branch).\($0)" }
    } + ["w_u", "w_i"]

  static let cases = [
    golden("k5_truncated", aliasBug: true), golden("k40_padded", aliasBug: true),
    golden("k5_truncated_no_alias", aliasBug: false),
  ]

  static func golden(_ name: String, aliasBug: Bool) -> GoldenCase {
    GoldenCase(
      file: "dualgnn", folder: "cases/\(name)", parameters: "cases/k5_truncated/params",
      names: names,
      parts: [
        .init(stored: "bpr2", terms: ["ranking"], divisor: 0.6931471805599453),
        .init(stored: "reg_unweighted", terms: ["regularization"]),
      ],
      scoresAfter: "scores_after_fresh", differenceStep: 1e-3
    ) { data, golden in
      let adjacency = try golden.sparse("graphs/A_hat_defined_here_exact")
      let neighbours = try golden.sparse("cases/\(name)/Omega")
      return DualGNN(
        userCount: data.userCount, itemCount: data.itemCount, features: data.features,
        embeddingSize: Int(try golden.number("config/d")),
        regularization: Float(try golden.number("config/lambda")), aliasBug: aliasBug, seed: 1,
        adjacency: { adjacency }, neighbours: { _ in neighbours })
    }
  }

  @Test("loss parts and the gradient of every parameter", arguments: cases)
  func gradients(test: GoldenCase) throws { try test.checkGradients() }

  @Test("losses, parameters and fresh scores over three Adam steps", arguments: cases)
  func adam(test: GoldenCase) throws { try test.checkAdam() }

  @Test(
    "stale ranking: an evaluation ranks with the forward pass before the last step",
    arguments: cases)
  func staleRanking(test: GoldenCase) throws { try test.checkStaleScores() }

  @Test("final user and item matrices, and the modalities' vectors behind them", arguments: cases)
  func finalMatrices(test: GoldenCase) throws {
    try test.checkFinal()
    try test.checkPropagated([
      "\(test.folder)/intermediates/X_v", "\(test.folder)/intermediates/X_t",
    ])
  }

  @Test("the gradient of the whole loss against central differences", arguments: cases)
  func centralDifferences(test: GoldenCase) throws {
    #expect(try test.gradientError() < 2e-2)
  }

  @Test("the loss and the gradients of shards add up", arguments: cases)
  func shards(test: GoldenCase) throws { try test.checkShards() }

  @Test("MRdIB with all weights 0 and no sampling: the bits of the plain model", arguments: cases)
  func switchedOff(test: GoldenCase) throws { try test.checkMRdIBSwitchedOff() }

  @Test("MRdIB trains every table", arguments: cases)
  func objective(test: GoldenCase) throws { try test.checkMRdIB() }

  private func model(
    _ data: TinyData, seed: UInt64 = 3,
    neighbours: @escaping @Sendable (Int?) -> SparseMatrix
  ) throws -> DualGNN {
    let adjacency = try Golden("dualgnn").sparse("graphs/A_hat_defined_here_exact")
    return DualGNN(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: 8, regularization: 0.1, seed: seed, adjacency: { adjacency },
      neighbours: neighbours)
  }

  @Test("modality weights begin near one half, sum to one and depend on the seed")
  func initialWeights() throws {
    let data = try TinyData()
    let empty = SparseMatrix(rows: data.userCount, columns: data.userCount, entries: [])
    let model = try model(data, neighbours: { _ in empty })
    let table = try #require(model.tables.firstIndex { $0.name == "user.weight" })
    let all = model.initialValues(table: table, rows: 0..<data.userCount)
    for row in 0..<data.userCount {
      #expect(abs(all[row, 0] + all[row, 1] - 1) < 1e-6)
      #expect(all[row, 0] > 0.1 && all[row, 0] < 0.9)
    }
    #expect(Set(elements(all)).count > data.userCount)
    let values = elements(all)
    #expect(elements(model.initialValues(table: table, rows: 4..<9)) == Array(values[8..<18]))
    let other = try self.model(data, seed: 4, neighbours: { _ in empty })
    #expect(elements(other.initialValues(table: table, rows: 0..<2)) != Array(values[..<4]))
    let items = elements(model.initialValues(table: table + 1, rows: 0..<data.itemCount))
    #expect(items != Array(values[..<items.count]))
  }

  @Test("the user graph is that of the step's epoch; a fresh evaluation uses none of them")
  func epochs() throws {
    let data = try TinyData()
    let userCount = data.userCount
    // In epoch e every user's neighbour is user e; without an epoch it is user 7.
    let model = TrainingModel(
      backbone: try model(data) { epoch in
        SparseMatrix(
          rows: userCount, columns: userCount,
          entries: (0..<Int32(userCount)).map { ($0, Int32(epoch ?? 7), 1) })
      }, objective: nil, userCount: userCount, itemCount: data.itemCount)
    let parameters = PlainParameters.initial(of: model, seed: 2)
    guard case .whole(let final) = model.backbone.final else {
      Issue.record("the final vectors are not computed together")
      return
    }
    func users(_ context: StepContext?) -> [Float] {
      elements(final.compute(parameters.tables, context).user)
    }
    let epochs = [2, 7].map { users(StepContext(seed: 2, epoch: $0, step: 5)) }
    #expect(epochs[0] != epochs[1])
    #expect(epochs[1] == users(nil))
    #expect(epochs[0] == users(StepContext(seed: 2, epoch: 2, step: 0)))
  }

  @Test("parameter counts: those that ranking reads, and those that the reference prints")
  func parameterCounts() {
    let used = [3_708_138, 5_808_028, 6_300_598]
    let printed = [3_742_782, 5_865_286, 6_367_208]
    let sizes = [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)]
    for (index, (users, items)) in sizes.enumerated() {
      let tables = DualGNN.tables(
        userCount: users, itemCount: items, features: [("visual", 4096), ("text", 384)],
        embeddingSize: 64)
      let count = tables.reduce(0) { $0 + $1.parameterCount }
      #expect(count - 2 * items == used[index])
      // Two maps 64 × 64 and one 192 → 64 with bias are declared there and never read.
      #expect(count + 2 * 64 * 64 + 192 * 64 + 64 == printed[index])
    }
  }
}
