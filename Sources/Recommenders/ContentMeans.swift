import Datasets
import Tables
import Tensors

extension Backbone {
  /// μ_m of some items per modality, `[items, D]`, in their order.
  ///
  /// - Parameters:
  ///   - items: ascending, each once.
  ///   - context: names the random graph of models that have one.
  ///   - fill: writes a row of a table.
  /// - Returns: matrices of their own; none for a model without content.
  package func contentMeans(
    of items: [Int32], context: StepContext,
    fill: (_ table: Int, _ row: Int, _ values: UnsafeMutableBufferPointer<Float>) -> Void
  ) -> [Matrix] {
    let users = [Int32](repeating: 0, count: items.count)
    let batch = TripletBatch(
      users: users, positives: items, negatives: items, globalCount: items.count)
    // The tape is not reused, so its matrices can be returned.
    let tape = Tape()
    let neighbourhood = neighbourhood(of: batch, context: context)
    let selections = neighbourhood.map { rows(for: batch, in: $0) } ?? rows(for: batch)
    let parameters = zip(tables.indices, selections).map { table, selection in
      let rows: [Int] =
        switch selection {
        case .none: []
        case .all: Array(0..<tables[table].rows)
        case .listed(let listed): listed.map(Int.init)
        }
      let matrix = Matrix(rows: rows.count, columns: tables[table].width)
      for (position, row) in rows.enumerated() { fill(table, row, matrix.row(position)) }
      return tape.constant(matrix)
    }
    let propagated =
      neighbourhood.map { propagate(on: tape, in: $0, parameters: parameters) }
      ?? propagate(on: tape, parameters: parameters, context: context)
    let input = BatchInput(
      batch: batch, neighbourhood: neighbourhood, parameters: parameters, propagated: propagated,
      context: context)
    return content(on: tape, input).means.map(\.value)
  }

  /// Writes the initial values of a row of a table.
  package func fillInitial(
    table: Int, row: Int, seed: UInt64, _ values: UnsafeMutableBufferPointer<Float>
  ) {
    let spec = tables[table]
    guard spec.initializer == .pushed else {
      return spec.initializer.fill(values, table: spec.name, row: row, seed: seed)
    }
    let initial = initialValues(table: table, rows: row..<row + 1)
    withExtendedLifetime(initial) {
      values.baseAddress?.update(from: initial.pointer, count: spec.width)
    }
  }
}
