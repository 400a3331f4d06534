import Datasets
import Tensors

extension FeatureMatrix {
  /// A copy of consecutive rows, `[range.count, columns]`.
  func matrix(_ range: Range<Int>) -> Matrix {
    let result = Matrix(rows: range.count, columns: columns)
    gather(range.map(Int32.init), into: result.pointer)
    return result
  }
}
