import Datasets
import Tables
import Tensors

extension Backbone {
  /// The root mean square of each modality's vectors before training.
  ///
  /// All processes compute the same values, because initial values depend only on the seed. At most
  /// 4,096 items, evenly spread, are used.
  func initialContentScales(seed: UInt64, itemCount: Int) -> [Float] {
    let stride = max(1, itemCount / 4096)
    let items = Swift.stride(from: 0, to: itemCount, by: stride).map(Int32.init)
    let users = [Int32](repeating: 0, count: items.count)
    let batch = TripletBatch(
      users: users, positives: items, negatives: items, globalCount: items.count)
    let tape = Tape()
    let context = StepContext(seed: seed, epoch: 0, step: 0)
    let parameters = zip(tables.indices, rows(for: batch)).map { table, selection in
      let spec = tables[table]
      let rows: [Int] =
        switch selection {
        case .none: []
        case .all: Array(0..<spec.rows)
        case .listed(let listed): listed.map(Int.init)
        }
      let matrix = Matrix(rows: rows.count, columns: spec.width)
      for (position, row) in rows.enumerated() {
        if spec.initializer == .pushed {
          let values = initialValues(table: table, rows: row..<row + 1)
          matrix.row(position).baseAddress?.update(from: values.pointer, count: spec.width)
          continue
        }
        spec.initializer.fill(matrix.row(position), table: spec.name, row: row, seed: seed)
      }
      return tape.constant(matrix)
    }
    let input = BatchInput(
      batch: batch, parameters: parameters,
      propagated: propagate(on: tape, parameters: parameters, context: context), context: context)
    return content(on: tape, input).means.map { mean in
      let squares = BLAS.dot(mean.value.pointer, mean.value.pointer, count: mean.value.count)
      return (squares / Float(max(1, mean.value.count))).squareRoot()
    }
  }
}
