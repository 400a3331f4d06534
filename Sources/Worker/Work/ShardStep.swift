import Datasets
import Protocol
import Recommenders
import Tables
import Tensors

/// One shard of one step; after `record` and `differentiate` it has its loss and gradients.
final class ShardStep {
  let draw: ShardDraw
  private let engine: WorkerEngine
  private let tape: Tape
  /// The forward pass over the draw's neighbourhood; nil for models that do not sample.
  private let sampledForward: SharedForward?
  private var parameters: [Variable] = []
  /// The gradients of tables after the backward pass through the shared part, of this shard alone.
  private var continued: [Int: Matrix] = [:]
  /// The matrices of the shared part, with their gradients after `differentiate`.
  private(set) var propagated: [Variable] = []
  private(set) var loss = Loss(terms: [])

  var shard: Int { draw.context.shard }
  var batch: TripletBatch { draw.batch }
  private var context: StepContext { draw.context }
  private var selections: [RowSelection] { draw.selections }

  /// - Parameter forwardTape: for the forward pass over a neighbourhood.
  init(
    _ draw: ShardDraw, engine: WorkerEngine, tape: Tape, forwardTape: @autoclosure () -> Tape
  ) {
    self.draw = draw
    self.engine = engine
    self.tape = tape
    sampledForward = draw.neighbourhood.map { _ in SharedForward(tape: forwardTape()) }
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
    let selected = selections.indices.map { table in
      pulled[table].map { rows(selections[table], from: $0, selectedBy: union[table]) }
    }
    parameters = selected.enumerated().map { table, matrix in
      guard let matrix else {
        return tape.constant(Matrix(rows: 0, columns: engine.model.tables[table].width))
      }
      return selections[table] == .all ? tape.table(matrix) : tape.parameter(matrix)
    }
    if let sampledForward, let neighbourhood = draw.neighbourhood {
      sampledForward.record(selected, model: engine.model) { tape, parameters in
        engine.model.propagate(on: tape, in: neighbourhood, parameters: parameters)
      }
    }
    propagated = (sampledForward ?? shared).propagated.map { tape.table($0.value) }
    loss = engine.model.record(
      on: tape,
      BatchInput(
        batch: batch, neighbourhood: draw.neighbourhood, parameters: parameters,
        propagated: propagated, context: context))
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
      var position = present.firstPosition(from: wanted[range.lowerBound])
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

  /// Finishes the loss with the reductions' totals and computes the gradients, back to the
  /// parameters of the batch and to the propagated matrices.
  ///
  /// - Throws: ``TrainingError`` when the loss is not a finite number.
  func differentiate(totals: [Double]) throws {
    tape.resolve(totals)
    for term in loss.terms where !term.variable.scalar.isFinite {
      throw TrainingError(
        "Training diverged: the loss term '\(term.name)' is \(term.variable.scalar) in epoch "
          + "\(context.epoch), step \(context.step). \(divergenceAdvice)", kind: .diverged)
    }
    loss.backward(on: tape, share: batch.share)
    if let sampledForward, context.isFinalRound { continueBackward(through: sampledForward) }
  }

  /// Continues the backward pass of this shard alone through the shared part, where shards do not
  /// wait for each other or there is only one.
  func continueBackward(through shared: SharedForward) {
    let seeds = propagated.map { tape.wholeGradient(of: $0) }
    for (table, share) in shared.gradients(seeding: seeds).enumerated() {
      guard let share else { continue }
      if let own = parameters[table].gradientByRows {
        Lanes.current.forEachRange(of: own.rows.count, elements: own.width) { range in
          for position in range {
            own.withRow(at: position) {
              BLAS.accumulate(
                $0, into: share.pointer + Int(own.rows[position]) * own.width, count: own.width)
            }
          }
        }
      }
      continued[table] = share
    }
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
  ///
  /// - Parameter sharedGradients: what the shared part contributes for all shards together, by
  ///   table. Each shard pushes its range of the rows, so that all shards push every row once.
  func push(_ sharedGradients: [Matrix?] = []) -> PushPlan {
    var parts: [PushPlan.Part] = []
    for table in selections.indices {
      switch engine.model.tables[table].rule {
      case .optimizer where table < sharedGradients.count && sharedGradients[table] != nil:
        if let part = part(table, of: sharedGradients[table]) { parts.append(part) }
      case .optimizer(let group):
        guard context.isFinalRound || group == .discriminator,
          let gradient = continued[table] ?? tape.wholeGradient(of: parameters[table])
        else { continue }
        let (selection, values) = admitted(selections[table], gradient, of: table)
        guard let rows = engine.routing.route(selection, table: table) else { continue }
        parts.append(PushPlan.Part(table: table, rows: rows, values: values))
      case .movingAverage:
        guard let share = loss.averages[table],
          let rows = engine.routing.route(.all, table: table)
        else { continue }
        parts.append(PushPlan.Part(table: table, rows: rows, values: share))
      case .assigned:
        continue
      }
    }
    return PushPlan(parts: parts)
  }
}

extension ShardStep {
  /// The rows that are trained, with their gradients.
  private func admitted(
    _ selection: RowSelection, _ gradient: Matrix, of table: Int
  ) -> (RowSelection, Matrix) {
    guard case .listed(let rows) = selection,
      let kept = engine.admission?.positions(among: rows, table: table)
    else { return (selection, gradient) }
    guard !kept.isEmpty else { return (.none, gradient) }
    let values = tape.matrix(rows: kept.count, columns: gradient.columns)
    for (target, position) in kept.enumerated() {
      (values.pointer + target * gradient.columns)
        .update(from: gradient.pointer + position * gradient.columns, count: gradient.columns)
    }
    return (.listed(kept.map { rows[$0] }), values)
  }

  /// This shard's rows of a gradient of all shards, and the rows of the shard's own gradient.
  private func part(_ table: Int, of shared: Matrix?) -> PushPlan.Part? {
    guard let shared else { return nil }
    let range = rowRange(of: shared.rows)
    let own = parameters[table].gradientByRows
    let ownRows = own?.rows ?? []
    let below = ownRows.firstPosition(from: Int32(truncatingIfNeeded: range.lowerBound))
    let above = ownRows.firstPosition(from: Int32(truncatingIfNeeded: range.upperBound))
    let rows =
      Array(ownRows[..<below]) + range.map { Int32(truncatingIfNeeded: $0) } + ownRows[above...]
    guard !rows.isEmpty,
      let routed = engine.routing.route(
        rows.count == shared.rows ? .all : .listed(rows), table: table)
    else { return nil }
    let width = shared.columns
    return PushPlan.Part(table: table, rows: routed, width: width) { server, indices, target in
      guard let first = indices.first else { return }
      // Rows ascend, and so do the shard's own among them.
      var next = ownRows.firstPosition(from: rows[server.position(at: first)])
      for index in indices {
        let row = rows[server.position(at: index)]
        let place = target + (index - first) * width
        let isShared = range.contains(Int(row))
        if isShared { place.update(from: shared.pointer + Int(row) * width, count: width) }
        while next < ownRows.count, ownRows[next] < row { next += 1 }
        guard let own, next < ownRows.count, ownRows[next] == row else { continue }
        own.withRow(at: next) {
          if isShared {
            BLAS.accumulate($0, into: place, count: width)
          } else {
            place.update(from: $0, count: width)
          }
        }
      }
      withExtendedLifetime(shared) {}
    }
  }

  /// The rows of a table for which this shard pushes the gradient of all shards.
  private func rowRange(of count: Int) -> Range<Int> {
    let shards = engine.setting.shardCount
    return count * shard / shards..<count * (shard + 1) / shards
  }
}

/// The part of a step's forward pass that comes before the batch's own: over graphs.
///
/// Over whole graphs it does not depend on the batch. It is computed once per step for all shards
/// of a worker, and so is its backward pass in `bsp`: every worker gets the gradients that arrive
/// there from all shards (``PropagatedGradients``). Over a sampled neighbourhood every shard has
/// its own.
final class SharedForward {
  private let tape: Tape
  private var parameters: [Variable] = []
  private(set) var propagated: [Variable] = []

  init(tape: Tape) { self.tape = tape }

  /// - Parameters:
  ///   - pulled: rows of each table; tables that are read here are whole, or those of a
  ///     neighbourhood.
  ///   - propagate: records the forward pass from these rows.
  func record(
    _ pulled: [Matrix?], model: TrainingModel,
    _ propagate: (_ tape: Tape, _ parameters: [Variable]) -> [Variable]
  ) {
    tape.reset()
    parameters = pulled.enumerated().map { table, matrix in
      matrix.map { tape.parameter($0) }
        ?? tape.constant(Matrix(rows: 0, columns: model.tables[table].width))
    }
    propagated = propagate(tape, parameters)
  }

  /// The gradient of each table that the propagation reads, if these gradients arrive at the
  /// propagated matrices; nil for other tables. The matrices are valid until the next recording;
  /// the seeds are used up.
  func gradients(seeding seeds: [Matrix?]) -> [Matrix?] {
    let present = zip(propagated, seeds).compactMap { variable, seed in
      seed.map { (variable: variable, gradient: $0) }
    }
    guard !present.isEmpty else { return [] }
    tape.clearGradients()
    tape.backward(seeding: present)
    return parameters.map { $0.takeGradient() }
  }

  /// A matrix with undefined elements that lives until the next recording.
  func matrix(rows: Int, columns: Int) -> Matrix { tape.matrix(rows: rows, columns: columns) }
}

extension [Int32] {
  /// The position of the first number that is not below a bound, in an ascending array.
  fileprivate func firstPosition(from bound: Int32) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
