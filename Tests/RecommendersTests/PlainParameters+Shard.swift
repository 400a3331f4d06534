import Datasets
import Recommenders
import Tables
import Tensors

extension PlainParameters {
  /// The loss and the gradient of every table as a worker computes them: what is propagated has a
  /// tape of its own, so that the propagated matrices are parameters of the shard's tape, and
  /// gradients there pass the gate, if the loss has one.
  func shardGradients(
    _ model: TrainingModel, _ batch: TripletBatch, context: StepContext
  ) -> (loss: Loss, shares: [String: Double], gradients: [Matrix]) {
    let selections = model.rows(for: batch)
    let whole = Tape()
    let tables = self.tables.map { whole.parameter($0) }
    let propagated = model.propagate(on: whole, parameters: tables, context: context)

    let tape = Tape()
    let parameters = selections.enumerated().map { table, selection in
      tape.parameter(rows(selection, of: self.tables[table]))
    }
    let boundary = propagated.map { tape.parameter($0.value) }
    var loss = model.record(
      on: tape,
      BatchInput(
        batch: batch, parameters: parameters, propagated: boundary, context: context))
    tape.resolve(tape.reductions.map(\.part))
    loss.backward(on: tape, share: 1)

    let seeds = zip(propagated, boundary).compactMap { variable, leaf in
      leaf.takeGradient().map { (variable: variable, gradient: $0) }
    }
    if !seeds.isEmpty { whole.backward(seeding: seeds) }
    let gradients = tables.indices.map { table in
      let result = Matrix(rows: self.tables[table].rows, columns: self.tables[table].columns)
      if let shared = tables[table].gradient { result.copy(from: shared) }
      if let own = parameters[table].gradient { add(own, of: selections[table], to: result) }
      return result
    }
    return (loss, loss.shares(), gradients)
  }

  private func indices(_ selection: RowSelection, of count: Int) -> [Int] {
    switch selection {
    case .none: []
    case .all: Array(0..<count)
    case .listed(let rows): rows.map(Int.init)
    }
  }

  private func rows(_ selection: RowSelection, of table: Matrix) -> Matrix {
    let rows = indices(selection, of: table.rows)
    let result = Matrix(rows: rows.count, columns: table.columns)
    for (position, row) in rows.enumerated() {
      for column in 0..<table.columns { result[position, column] = table[row, column] }
    }
    return result
  }

  private func add(_ share: Matrix, of selection: RowSelection, to gradient: Matrix) {
    for (position, row) in indices(selection, of: gradient.rows).enumerated() {
      for column in 0..<gradient.columns { gradient[row, column] += share[position, column] }
    }
  }
}
