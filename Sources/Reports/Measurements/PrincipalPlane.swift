package import Recommenders
internal import Tensors

/// The plane in which some vectors differ most: their first two principal components, of the
/// covariance over all of them.
///
/// Distances on the plane are distances along these two directions only; how much that leaves out
/// is in ``shares``.
package struct PrincipalPlane: Sendable {
  /// Of the rows, `[rows]`.
  package let points: [SIMD2<Double>]
  /// The parts of the variance along the two axes; their sum is at most 1.
  package let shares: SIMD2<Double>
  /// How many directions the vectors spread over: (Σ λ)² / Σ λ² of the eigenvalues λ of the
  /// covariance, from 1 to the number of columns.
  ///
  /// - Source: the participation ratio, as in Gao et al. 2017, "A theory of multineuronal
  ///   dimensionality, dynamics and measurement", doi:10.1101/214262.
  package let dimension: Double

  /// - Parameter codes: wider vectors are reduced first, see `ModalityCodes.standardized`.
  /// - Returns: nil if all vectors are equal, or have a single column.
  package init?(_ codes: ModalityCodes) {
    let centred = codes.standardized.vectors
    let (rows, columns) = (centred.rows, centred.columns)
    guard rows > 1, columns > 1 else { return nil }
    let product = Matrix(rows: columns, columns: columns)
    BLAS.multiply(.init(centred), transposeA: true, .init(centred), into: .init(product))
    let covariance = withExtendedLifetime(product) {
      product.elements.map { Double($0) / Double(rows) }
    }
    guard let problem = SymmetricEigenproblem(covariance, count: columns) else { return nil }
    let values = problem.values.map { max(0, $0) }
    let total = values.reduce(0, +)
    guard total > 0 else { return nil }
    shares = SIMD2(values[0], values[1]) / total
    dimension = total * total / values.reduce(0) { $0 + $1 * $1 }
    points = (0..<rows).map { row in
      var point = SIMD2<Double>()
      for (column, value) in centred.row(row).enumerated() {
        point.x += Double(value) * problem.vectors[column]
        point.y += Double(value) * problem.vectors[columns + column]
      }
      return point
    }
  }
}
