internal import Autodiff
internal import Datasets
internal import Messages
internal import Models
internal import Tables
internal import Tensors

/// One shard of one step: its batch, and after recording its loss and gradients.
final class ShardStep {
  let shard: Int
  let batch: TripletBatch
  let selections: [RowSelection]
  private let engine: WorkerEngine
  private let context: StepContext
  private let tape: Tape
  private var parameters: [Variable] = []
  /// Of each table, in the rows that were selected.
  private var gradients: [Matrix?] = []
  private var propagated: [Variable] = []
  private(set) var loss = Loss(terms: [])

  init(engine: WorkerEngine, tape: Tape, context: StepContext) {
    self.engine = engine
    self.tape = tape
    self.context = context
    shard = context.shard
    batch = engine.sampler.batch(
      epoch: context.epoch, step: context.step, shard: context.shard,
      shardCount: engine.setting.shardCount)
    selections = engine.model.rows(for: batch)
  }

  /// Computes the loss up to its reductions.
  ///
  /// - Parameters:
  ///   - pulled: rows of each table, as selected by `union`.
  ///   - union: the selections that were pulled, of which this shard's are a part.
  ///   - shared: what the worker propagated for all its shards.
  /// - Returns: this shard's parts of the reductions.
  func record(
    _ pulled: [Matrix?], union: [RowSelection], shared: SharedForward
  ) -> [Double] {
    parameters = selections.indices.map { table in
      guard let matrix = pulled[table] else {
        return tape.constant(Matrix(rows: 0, columns: engine.model.tables[table].width))
      }
      return tape.parameter(
        rows(selections[table], from: matrix, selectedBy: union[table]))
    }
    propagated = shared.propagated.map { tape.parameter($0.value) }
    loss = engine.model.record(
      on: tape,
      BatchInput(
        batch: batch, parameters: parameters, propagated: propagated, context: context))
    return tape.reductions.map(\.part)
  }

  /// Picks this shard's rows out of the rows of all shards.
  private func rows(
    _ selection: RowSelection, from matrix: Matrix, selectedBy union: RowSelection
  ) -> Matrix {
    guard selection != union, case .listed(let wanted) = selection,
      case .listed(let present) = union
    else { return matrix }
    let result = tape.matrix(rows: wanted.count, columns: matrix.columns)
    var position = 0
    for (row, id) in wanted.enumerated() {
      while present[position] != id { position += 1 }
      (result.pointer + row * matrix.columns)
        .update(from: matrix.pointer + position * matrix.columns, count: matrix.columns)
    }
    return result
  }

  /// What the reductions come to if the other shards are like this one: what a shard takes for them
  /// that does not wait for the others.
  func estimatedTotals(_ parts: [Double]) -> [Double] {
    // A shard without examples has parts of 0.
    parts.map { batch.count > 0 ? $0 * Double(batch.globalCount) / Double(batch.count) : $0 }
  }

  /// Finishes the loss with the reductions' totals and computes the gradients.
  ///
  /// - Throws: ``TrainingError`` when the loss is not a finite number.
  func differentiate(totals: [Double], shared: SharedForward) throws {
    tape.resolve(totals)
    for term in loss.terms where !term.variable.scalar.isFinite {
      throw TrainingError(
        "Training diverged: the loss term '\(term.name)' is \(term.variable.scalar) in epoch "
          + "\(context.epoch), step \(context.step). \(divergenceAdvice)", kind: .diverged)
    }
    tape.backward(from: loss.gradientTerms)
    gradients = parameters.map(\.gradient)
    shared.addGradients(of: propagated, to: &gradients, on: tape)
  }

  private var divergenceAdvice: String {
    context.epoch == 0 && context.step == 0
      ? "It is the first step, so that no learning rate is the cause: scale the features, for "
        + "instance to mean 0 and deviation 1, or lower the weights of the objective."
      : "Lower learning_rate or the weights of the objective; the best model so far is kept."
  }

  /// What the step adds to the sums of the shard's epoch, known once differentiated: its share of
  /// the loss and its statistics. Rounds before the last say nothing of the model.
  var sums: [String: Double] {
    guard context.isFinalRound else { return [:] }
    var sums: [String: Double] = [:]
    for (name, value) in loss.shares() { sums["loss.\(name)"] = value }
    for (name, value) in loss.statistics { sums["stat.\(name)"] = value }
    return sums
  }

  /// The gradients and running averages for the servers.
  func push() -> PushPlan {
    var parts: [PushPlan.Part] = []
    for table in selections.indices {
      switch engine.model.tables[table].rule {
      case .optimizer(let group):
        guard context.isFinalRound || group == .discriminator,
          let gradient = gradients[table],
          let rows = engine.routing.route(selections[table], table: table)
        else { continue }
        parts.append(.init(table: table, rows: rows, values: gradient))
      case .movingAverage:
        guard let share = loss.averages[table],
          let rows = engine.routing.route(.all, table: table)
        else { continue }
        parts.append(.init(table: table, rows: rows, values: share))
      case .assigned:
        continue
      }
    }
    return PushPlan(parts: parts)
  }
}

extension RowSelection {
  /// The rows of several selections of one table.
  static func union(_ selections: [RowSelection]) -> RowSelection {
    guard let first = selections.first else { return .none }
    if selections.allSatisfy({ $0 == first }) { return first }
    if selections.contains(.all) { return .all }
    var rows: [Int32] = []
    for case .listed(let listed) in selections { rows += listed }
    rows.sort()
    var distinct: [Int32] = []
    distinct.reserveCapacity(rows.count)
    for row in rows where distinct.last != row { distinct.append(row) }
    return .listed(distinct)
  }
}
