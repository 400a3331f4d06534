internal import Foundation
import Tables
import Tensors

/// Weights of the modalities per user or item, a table `[rows, M]`: softmaxes before training, and
/// free numbers afterwards.
enum ModalityWeights {
  /// Values before training: normal numbers of variance 2 / (rows + M), then a softmax per row.
  ///
  /// - Parameter seed: of the run.
  static func initialValues(_ spec: TableSpec, rows: Range<Int>, seed: UInt64) -> Matrix {
    precondition(spec.initializer == .pushed, "\(spec.name) begins by its initializer")
    // For a tensor [n, M, 1] Xavier counts n outputs and M inputs.
    let initializer = Initializer.xavierNormal(rows: spec.rows, columns: spec.width)
    let result = Matrix(rows: rows.count, columns: spec.width)
    for (position, row) in rows.enumerated() {
      let values = result.row(position)
      initializer.fill(values, table: spec.name, row: row, seed: seed)
      let exponentials = values.map(exp)
      let total = exponentials.reduce(0, +)
      for column in values.indices { values[column] = exponentials[column] / total }
    }
    return result
  }
}
