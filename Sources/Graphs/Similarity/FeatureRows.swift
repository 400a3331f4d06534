internal import Datasets
internal import Tensors

/// The features of one modality with the length of each row.
final class FeatureRows: Sendable {
  let features: FeatureMatrix
  /// The Euclidean norm of each row, `[I]`.
  let lengths: [Double]

  var rowCount: Int { features.rows }
  var width: Int { features.columns }

  init(_ features: FeatureMatrix) {
    self.features = features
    let row = Matrix(rows: 1, columns: features.columns)
    lengths = (0..<features.rows).map { index in
      features.copyRow(index, to: row.pointer)
      let squares = row.elements.reduce(0.0) { $0 + Double($1) * Double($1) }
      return squares.squareRoot()
    }
  }

  /// Copies rows scaled to length 1, `[rows.count, F]`; rows of zeros stay.
  func copyUnitRows(_ rows: Range<Int>, to destination: UnsafeMutablePointer<Float>) {
    for (position, row) in rows.enumerated() {
      let target = destination + position * width
      features.copyRow(row, to: target)
      let scale = lengths[row] > 0 ? Float(1 / lengths[row]) : 0
      for column in 0..<width { target[column] *= scale }
    }
  }
}
