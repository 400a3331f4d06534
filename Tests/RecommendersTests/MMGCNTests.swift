import Datasets
import Recommenders
import Tables
import Tensors
import TestSupport
import Testing

/// MMGCN compared with the numbers of the reference toolbox.
@Suite struct MMGCNTests {
  /// Golden names of the trained tables, in the model's order.
  static let names =
    ["v.mlp.W", "v.mlp.b"]
    + ["v", "t"].flatMap { branch in
      (1...3).flatMap { layer in
        ["conv\(layer).W", "lin\(layer).W", "lin\(layer).b", "g\(layer).W", "g\(layer).b"]
          .map { "\(branch).\($0)" }
      }
    }

  static func make(
    _ data: TinyData, _ golden: Golden, trainableIds: Bool = false
  ) throws -> MMGCN {
    let edges = zip(
      try golden.integers("graphs/edges_user"), try golden.integers("graphs/edges_item"))
    let mean = meanAdjacency(Array(edges), userCount: data.userCount, itemCount: data.itemCount)
    let untrained = [
      "id": try golden.matrix("constants/e"),
      "visual.preference": try golden.matrix("constants/v.Phi"),
      "text.preference": try golden.matrix("constants/t.Phi"),
    ]
    return MMGCN(
      userCount: data.userCount, itemCount: data.itemCount, features: data.features,
      embeddingSize: Int(try golden.number("config/d")),
      regularization: Float(try golden.number("config/lambda")), trainableIds: trainableIds,
      staleRanking: true, projectionWidth: Int(try golden.number("config/c_v")),
      meanAdjacency: { mean }, untrained: { untrained[$0.name] ?? Matrix(rows: 0, columns: 0) })
  }

  /// D⁻¹A, users first; a node without neighbours has an empty row.
  static func meanAdjacency(
    _ edges: [(user: Int32, item: Int32)], userCount: Int, itemCount: Int
  ) -> SparseMatrix {
    let nodeCount = userCount + itemCount
    let both = edges.flatMap { user, item in
      [(user, Int32(userCount) + item), (Int32(userCount) + item, user)]
    }
    var degrees = [Float](repeating: 0, count: nodeCount)
    for (node, _) in both { degrees[Int(node)] += 1 }
    return SparseMatrix(
      rows: nodeCount, columns: nodeCount,
      entries: both.map { (row: $0.0, column: $0.1, value: 1 / degrees[Int($0.0)]) })
  }

  static let faithful = GoldenCase(
    file: "mmgcn", names: names,
    parts: [
      .init(stored: "bpr", terms: ["ranking"]),
      .init(stored: "reg_unweighted", terms: ["regularization"]),
    ],
    scoresAfter: "scores_after_fresh", differenceStep: 1e-3
  ) { data, golden in try make(data, golden) }

  @Test("loss parts and the gradient of every parameter")
  func gradients() throws { try Self.faithful.checkGradients() }

  @Test("losses, parameters and fresh scores over three Adam steps")
  func adam() throws { try Self.faithful.checkAdam() }

  @Test("stale ranking: an evaluation ranks with the forward pass before the last step")
  func staleRanking() throws { try Self.faithful.checkStaleScores() }

  @Test("final user and item matrices, and the modalities' vectors behind them")
  func finalMatrices() throws {
    try Self.faithful.checkFinal()
    try Self.faithful.checkPropagated(["intermediates/r_v", "intermediates/r_t"])
  }

  // Eighteen leaky ReLUs per node have corners within any step that rounding allows: the stored
  // gradients are the sharp test, this one finds a missing path.
  @Test("the gradient of the whole loss against central differences")
  func centralDifferences() throws { #expect(try Self.faithful.gradientError() < 0.2) }

  @Test("the loss and the gradients of shards add up")
  func shards() throws { try Self.faithful.checkShards() }

  @Test("MRdIB with all weights 0 and no sampling: the bits of the plain model")
  func switchedOff() throws { try Self.faithful.checkMRdIBSwitchedOff() }

  @Test("MRdIB trains every table")
  func objective() throws { try Self.faithful.checkMRdIB() }

  @Test("trainable ids: the same loss, and gradients and Adam steps of ids and preferences")
  func trainableIds() throws {
    let (data, golden) = (try TinyData(), try Golden("mmgcn"))
    let constants = ["e", "v.Phi", "t.Phi"]
    let model = TrainingModel(
      backbone: try Self.make(data, golden, trainableIds: true), objective: nil,
      userCount: data.userCount, itemCount: data.itemCount)
    let stored =
      try Self.names.map { try golden.matrix("params/\($0)") }
      + constants.map { try golden.matrix("constants/\($0)") }
    let finals = model.tables[stored.count...].map { Matrix(rows: $0.rows, columns: $0.width) }
    let parameters = PlainParameters(tables: stored + finals)
    let context = StepContext(seed: 1, epoch: 0, step: 0)
    let first = parameters.gradients(model, data.batch, context: context)
    for (name, gradient) in zip(Self.names, first.gradients) {
      #expect(relativeDifference(gradient, try golden.matrix("grads/\(name)")) < 1e-5, "\(name)")
    }
    for (name, gradient) in zip(constants, first.gradients[Self.names.count...]) {
      let expected = try golden.matrix("variant_trainable_ids/grads/\(name)")
      #expect(relativeDifference(gradient, expected) < 1e-5, "\(name)")
    }
    var optimizer = PlainAdam(parameters)
    for loss in try golden.numbers("variant_trainable_ids/adam/loss_before_step") {
      let step = parameters.gradients(model, data.batch, context: context)
      #expect(abs((step.shares["total"] ?? .nan) - loss) < 1e-5 * loss)
      optimizer.update(parameters, step.gradients, rate: 1e-3)
    }
    for (name, table) in zip(constants, parameters.tables[Self.names.count...]) {
      let expected = try golden.matrix("variant_trainable_ids/adam/params/\(name)")
      #expect(relativeDifference(table, expected) < 1e-5, "\(name)")
    }
  }

  @Test("untrained ids depend only on the seed, like the tables, in every process")
  func untrainedValues() throws {
    let data = try TinyData()
    let mean = Self.meanAdjacency(
      [(0, 0), (3, 4), (11, 8)], userCount: data.userCount, itemCount: data.itemCount)
    func final(seed: UInt64, trainableIds: Bool) throws -> (user: Matrix, item: Matrix) {
      let model = TrainingModel(
        backbone: MMGCN(
          userCount: data.userCount, itemCount: data.itemCount, features: data.features,
          embeddingSize: 8, regularization: 0, trainableIds: trainableIds, projectionWidth: 16,
          seed: seed, meanAdjacency: { mean }),
        objective: nil, userCount: data.userCount, itemCount: data.itemCount)
      return PlainParameters.initial(of: model, seed: 5).finalVectors(model)
    }
    let first = try final(seed: 5, trainableIds: false)
    let second = try final(seed: 5, trainableIds: false)
    #expect(elements(first.user) == elements(second.user))
    let trained = try final(seed: 5, trainableIds: true)
    #expect(relativeDifference(first.user, trained.user) < 1e-6)
    #expect(relativeDifference(first.item, trained.item) < 1e-6)
    let other = try final(seed: 6, trainableIds: false)
    #expect(relativeDifference(first.user, other.user) > 1e-3)
  }

  @Test("with three modalities the wide ones are projected, with two only the first")
  func projections() {
    func projected(_ features: [(name: String, columns: Int)]) -> [String] {
      MMGCN.tables(userCount: 5, itemCount: 4, features: features, embeddingSize: 8)
        .map(\.name).filter { $0.hasSuffix("projection.weight") }
    }
    #expect(projected([("a", 10), ("b", 500)]) == ["a.projection.weight"])
    #expect(
      projected([("a", 10), ("b", 500), ("c", 384)])
        == ["a.projection.weight", "b.projection.weight"])
  }

  @Test("parameter counts: the same number on every data set")
  func parameterCounts() {
    for (users, items) in [(19_445, 7_050), (35_598, 18_357), (39_387, 23_033)] {
      let features = [("visual", 4096), ("text", 384)]
      let faithful = MMGCN.tables(
        userCount: users, itemCount: items, features: features, embeddingSize: 64)
      #expect(faithful.reduce(0) { $0 + $1.parameterCount } == 1_418_240)
      let trainable = MMGCN.tables(
        userCount: users, itemCount: items, features: features, embeddingSize: 64,
        trainableIds: true)
      #expect(
        trainable.reduce(0) { $0 + $1.parameterCount }
          == 1_418_240 + 64 * (users + items) + (256 + 384) * users)
    }
  }
}
