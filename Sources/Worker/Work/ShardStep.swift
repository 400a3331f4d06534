import Datasets
import Protocol
import Recommenders
import Tables
import Tensors

/// One shard of one step: its batch, and after `record` and `differentiate` its loss and gradients.
final class ShardStep {
  let shard: Int
  let batch: TripletBatch
  let selections: [RowSelection]
  private let engine: WorkerEngine
  private let context: StepContext
  private let tape: Tape
  private var parameters: [Variable] = []
  /// The gradient of each table's selected rows.
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
  ///   - union: the pulled selections, which contain this shard's.
  ///   - shared: the forward pass that all shards of the worker share.
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

  /// Selects this shard's rows from the rows of all shards.
  private func rows(
    _ selection: RowSelection, from matrix: Matrix, selectedBy union: RowSelection
  ) -> Matrix {
    guard selection != union, case .listed(let wanted) = selection,
      case .listed(let present) = union
    else { return matrix }
    let result = tape.matrix(rows: wanted.count, columns: matrix.columns)
    Lanes.current.forEachRange(of: wanted.count, elements: matrix.columns) { range in
      var position = present.partitioningIndex(before: wanted[range.lowerBound])
      for row in range {
        while present[position] != wanted[row] { position += 1 }
        (result.pointer + row * matrix.columns)
          .update(from: matrix.pointer + position * matrix.columns, count: matrix.columns)
      }
    }
    return result
  }

  /// Estimates the totals of the reductions by assuming that other shards are like this one; used
  /// in `ssp` and `async`, where shards do not wait for each other.
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
    shared.addGradients(of: propagated, to: &gradients)
  }

  private var divergenceAdvice: String {
    context.epoch == 0 && context.step == 0
      ? "It is the first step, so the learning rate is not the cause: scale the features, for "
        + "instance to mean 0 and deviation 1, or lower the weights of the objective."
      : "Lower learning_rate or the weights of the objective; the best model so far is kept."
  }

  /// What the step adds to the sums of the shard's epoch, after `differentiate`: its share of the
  /// loss, and its statistics. Only the last round updates the model, so earlier rounds add
  /// nothing.
  var sums: [String: Double] {
    guard context.isFinalRound else { return [:] }
    var sums: [String: Double] = [:]
    for (name, value) in loss.shares() { sums["loss.\(name)"] = value }
    for (name, value) in loss.statistics { sums["stat.\(name)"] = value }
    return sums
  }

  /// The push of gradients and running averages.
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

/// The part of a step's forward pass that does not depend on the batch. It is computed once per
/// step for all shards of a worker. Its backward pass runs once per shard, because adding up the
/// shards' gradients first would change bits.
final class SharedForward {
  private let tape: Tape
  private var parameters: [Variable] = []
  private(set) var propagated: [Variable] = []

  init(tape: Tape) { self.tape = tape }

  /// - Parameters:
  ///   - pulled: rows of each table; tables that are read here are whole.
  func record(_ pulled: [Matrix?], model: TrainingModel, context: StepContext) {
    tape.reset()
    parameters = pulled.enumerated().map { table, matrix in
      matrix.map { tape.parameter($0) }
        ?? tape.constant(Matrix(rows: 0, columns: model.tables[table].width))
    }
    propagated = model.propagate(on: tape, parameters: parameters, context: context)
  }

  /// Propagates one shard's gradients of the propagated values back to the tables, and adds them.
  /// The sums are matrices of this forward pass, valid until the next one is recorded.
  ///
  /// - Parameters:
  ///   - leaves: the variables with the propagated values on the shard's tape; their gradients are
  ///     used up.
  ///   - gradients: the shard's gradients so far, by table.
  func addGradients(of leaves: [Variable], to gradients: inout [Matrix?]) {
    let seeds = zip(propagated, leaves).compactMap { variable, leaf in
      leaf.gradient.map { (variable: variable, gradient: $0) }
    }
    guard !seeds.isEmpty else { return }
    tape.backward(seeding: seeds)
    for (table, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      if let own = gradients[table] {
        Lanes.current.forEachRange(of: own.count) { range in
          BLAS.accumulate(
            own.pointer + range.lowerBound, into: gradient.pointer + range.lowerBound,
            count: range.count)
        }
      }
      gradients[table] = gradient
    }
    tape.clearGradients()
  }
}

extension [Int32] {
  /// The position of the first number that is not below a bound, in an ascending array.
  fileprivate func partitioningIndex(before bound: Int32) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
