package import Tensors

/// The items whose vectors point in the most similar directions: the largest cosines.
package struct NearestItems: Sendable {
  package struct Neighbour: Sendable, Equatable {
    package let item: Int
    package let cosine: Double
  }

  /// Unit vectors, `[I, D]`; zero where a vector is zero or not finite.
  private let directions: Matrix

  /// - Parameter vectors: one per item, `[I, D]`.
  package init(_ vectors: Matrix) {
    directions = Matrix(rows: vectors.rows, columns: vectors.columns)
    for row in 0..<vectors.rows {
      let values = vectors.row(row)
      let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      guard norm > 0, norm.isFinite else { continue }
      let target = directions.row(row)
      for (column, value) in values.enumerated() { target[column] = Float(Double(value) / norm) }
    }
  }

  /// The nearest items of an item, nearest first, without itself; equal cosines by row. None if the
  /// item's vector is zero.
  package func nearest(to item: Int, count: Int) -> [Neighbour] {
    let own = directions.row(item)
    guard own.contains(where: { $0 != 0 }) else { return [] }
    let all = (0..<directions.rows).filter { $0 != item }.map { other in
      Neighbour(
        item: other,
        cosine: Double(
          BLAS.dot(
            directions.pointer + item * directions.columns,
            directions.pointer + other * directions.columns, count: directions.columns)))
    }
    return Array(all.sorted { ($1.cosine, $0.item) < ($0.cosine, $1.item) }.prefix(count))
  }
}
