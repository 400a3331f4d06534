import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// Checks of models over the whole graph.
extension GoldenCase {
  /// The scores of an evaluation after the stored steps: those of the last forward pass.
  func checkStaleScores() throws {
    let loaded = try load()
    guard case .whole(let final) = loaded.model.backbone.final else {
      Issue.record("\(testDescription): the final vectors are not computed together")
      return
    }
    #expect(final.isStale)
    var optimizer = PlainAdam(loaded.parameters)
    for _ in try loaded.golden.numbers(path("adam/loss_before_step")).dropLast() {
      optimizer.update(loaded.parameters, loaded.gradients().gradients, rate: 1e-3)
    }
    let stored = try loaded.golden.matrix(path("adam/scores_after"))
    let users = try loaded.golden.integers(path("ranking/score_users"))
    #expect(relativeDifference(scores(loaded, users: users), stored) < 1e-5)
  }

  /// The first matrices that are propagated, at the start.
  func checkPropagated(_ stored: [String]) throws {
    let loaded = try load()
    let tape = Tape()
    let propagated = loaded.model.propagate(
      on: tape, parameters: loaded.parameters.tables.map { tape.constant($0) },
      context: loaded.context)
    for (name, variable) in zip(stored, propagated) {
      let expected = try loaded.golden.matrix(name)
      #expect(relativeDifference(variable.value, expected) < 1e-5, "\(name)")
    }
  }
}

/// Checks of every model with modalities.
extension GoldenCase {
  /// MRdIB without any of its terms and without sampling: the bits of the plain model.
  func checkMRdIBSwitchedOff() throws {
    var options = SettingValues<MRdIB.Settings>()
    options.bottleneckWeight = 0
    options.redundancyWeight = 0
    options.uniqueWeight = 0
    options.isStochastic = false
    let loaded = try load()
    let (model, parameters) = withMRdIB(options, loaded)
    let plain = loaded.gradients()
    let other = parameters.gradients(model, loaded.data.batch, context: loaded.context)
    #expect(plain.shares["total"] == other.shares["total"])
    for (name, (left, right)) in zip(names, zip(plain.gradients, other.gradients)) {
      #expect(elements(left) == elements(right), "\(name)")
    }
  }

  /// MRdIB with its defaults: finite, and a gradient for every table that it should train.
  func checkMRdIB() throws {
    var options = SettingValues<MRdIB.Settings>()
    options.store[DonskerVaradhanEstimator.Settings.self].skipsNegative = false
    let loaded = try load()
    let (model, parameters) = withMRdIB(options, loaded)
    let result = parameters.gradients(model, loaded.data.batch, context: loaded.context)
    #expect(result.shares.values.allSatisfy { $0.isFinite })
    for part in ["kl.visual", "kl.text", "unique.visual", "unique.text", "redundancy.visual-text"] {
      #expect(result.shares.keys.contains(part), "\(part)")
    }
    for (name, gradient) in zip(names, result.gradients) {
      #expect(
        elements(gradient).contains { $0 != 0 } == !withoutGradient.contains(name), "\(name)")
    }
  }

  private func withMRdIB(
    _ options: SettingValues<MRdIB.Settings>, _ loaded: Loaded
  ) -> (TrainingModel, PlainParameters) {
    let modalities = loaded.data.features.map(\.name)
    let backbone = loaded.model.backbone
    guard case .whole(let final) = backbone.final else {
      Issue.record("\(testDescription): the final vectors are not computed together")
      return (loaded.model, loaded.parameters)
    }
    let model = TrainingModel(
      backbone: backbone,
      objective: MRdIB(
        settings: options, modalities: modalities, width: contentWidth ?? final.width),
      userCount: loaded.data.userCount, itemCount: loaded.data.itemCount)
    let own = PlainParameters.initial(of: model, seed: 1).tables[names.count...]
    return (model, PlainParameters(tables: Array(loaded.parameters.tables[..<names.count]) + own))
  }

  /// The loss and the gradients of two shards of a batch add up to those of the batch.
  func checkShards() throws {
    let loaded = try load()
    let batch = loaded.data.batch
    let whole = loaded.gradients()
    let parts = [0..<2, 2..<batch.count].enumerated().map { shard, range in
      loaded.parameters.gradients(
        loaded.model,
        TripletBatch(
          users: Array(batch.users[range]), positives: Array(batch.positives[range]),
          negatives: Array(batch.negatives[range]), globalCount: batch.count),
        context: StepContext(seed: 1, epoch: 0, step: 0, shard: shard))
    }
    let total = parts.reduce(0) { $0 + ($1.shares["total"] ?? .nan) }
    #expect(abs(total - (whole.shares["total"] ?? .nan)) < 1e-6)
    for (index, name) in names.enumerated() {
      let sum = zip(elements(parts[0].gradients[index]), elements(parts[1].gradients[index]))
        .map(+)
      #expect(relativeDifference(sum, elements(whole.gradients[index])) < 1e-5, "\(name)")
    }
  }
}

/// The elements of a matrix, copied while it lives.
func elements(_ matrix: Matrix) -> [Float] {
  withExtendedLifetime(matrix) { Array(matrix.elements) }
}

extension PlainParameters {
  /// The initial tables of a run's servers, including the values that workers push.
  static func initial(of model: TrainingModel, seed: UInt64) -> PlainParameters {
    let tables = model.tables.enumerated().map { index, spec -> Matrix in
      if spec.initializer == .pushed, index < model.backbone.tables.count {
        return model.backbone.initialValues(table: index, rows: 0..<spec.rows)
      }
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows {
        spec.initializer.fill(matrix.row(row), table: spec.name, row: row, seed: seed)
      }
      return matrix
    }
    return PlainParameters(tables: tables)
  }
}
