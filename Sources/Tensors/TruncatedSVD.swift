/// The largest singular values of a sparse matrix with their vectors, `A ≈ Σ_k σ_k u_k v_kᵀ`.
///
/// Subspace iteration on the product of the matrix with its transpose, whichever is smaller, in
/// double precision. Between two Rayleigh–Ritz steps a Chebyshev polynomial of the product dampens
/// all that is not wanted. It starts from counter-based random vectors, so the result depends on
/// the matrix alone, also where singular values are equal and their vectors are free.
///
/// The sign of a pair of vectors is free: here the component of the largest magnitude of `v_k` is
/// positive. Beyond the rank of the matrix, values and left vectors are zero.
///
/// - Complexity: memory O((rows + columns) · rank), besides the matrix and its transpose.
/// - Source: Zhou, Saad, Tiago and Chelikowsky 2006, "Self-consistent-field calculations using
///   Chebyshev-filtered subspace iteration", doi:10.1016/j.jcp.2006.03.017.
public struct TruncatedSVD: Sendable {
  /// σ, descending, `[rank]`.
  public let values: [Double]
  /// u, one vector per row, `[rank, rows]`, row-major.
  public let left: [Double]
  /// v, one vector per row, `[rank, columns]`, row-major.
  public let right: [Double]

  /// - Parameters:
  ///   - matrix: `[rows, columns]`.
  ///   - rank: how many; more than the matrix has rows or columns means as many as those.
  /// - Returns: nil for numbers that are not finite, and if LAPACK finds no solution.
  public init?(_ matrix: SparseMatrix, rank: Int) {
    precondition(rank > 0, "\(rank) singular values")
    let isTall = matrix.rows >= matrix.columns
    let operand = isTall ? matrix : matrix.transposed
    let rank = min(rank, operand.columns)
    guard rank > 0 else { return nil }
    guard let eigen = SubspaceIteration(operand, count: rank).solve() else { return nil }
    values = eigen.values.map { max(0, $0).squareRoot() }
    // u = A v / σ.
    let images = eigen.vectors.multiplied(by: operand)
    var (narrow, wide): ([Double], [Double]) = ([], [])
    for (index, value) in values.enumerated() {
      let vector = eigen.vectors.column(index)
      let sign = Self.sign(vector)
      narrow += vector.map { sign * $0 }
      let inverse = value > Self.smallest * values[0] ? sign / value : 0
      wide += images.column(index).map { inverse * $0 }
    }
    (left, right) = isTall ? (wide, narrow) : (narrow, wide)
  }

  /// Smaller singular values, relative to the largest, are rounding.
  private static let smallest = 1e-7

  private static func sign(_ vector: [Double]) -> Double {
    // Nearly equal magnitudes may be rounded differently, so the first of them decides.
    let largest = vector.map(abs).max() ?? 0
    return vector.first { abs($0) > 0.999 * largest } ?? 1 < 0 ? -1 : 1
  }
}

/// The largest eigenvalues of `B = AᵀA`.
private struct SubspaceIteration {
  /// The degree of the polynomial.
  private static let degree = 10
  /// The largest ‖B v − λ v‖ of a wanted pair, relative to the largest eigenvalue.
  private static let tolerance = 1e-10
  /// The same where it no longer decreases: eigenvalues that are equal but for rounding have no
  /// vectors of their own.
  private static let toleranceOfClusters = 1e-6
  private static let largestRoundCount = 100

  private let matrix: SparseMatrix
  private let count: Int
  /// Vectors that are iterated: with more than are wanted, these converge faster, and equal
  /// eigenvalues at the end are separated from the next.
  private let width: Int

  init(_ matrix: SparseMatrix, count: Int) {
    self.matrix = matrix
    self.count = count
    width = min(matrix.columns, max(2 * count, count + 16))
  }

  /// - Returns: the eigenvalues, descending, and their vectors as columns.
  func solve() -> (values: [Double], vectors: Columns)? {
    var vectors = Columns(rows: matrix.columns, count: width)
    let random = CounterRandom(seed: 0, stream: .subspace)
    for row in 0..<vectors.rows {
      for column in 0..<width {
        vectors.elements[row * width + column] =
          Double(random.uniform(id: row, index: column)) - 0.5
      }
    }
    vectors = product(vectors)
    var lastResidual = Double.infinity
    for round in 1... {
      guard let basis = vectors.orthonormal()?.orthonormal() else { return nil }
      let image = product(basis)
      let projected = basis.products(with: image)
      let symmetric = (0..<width * width).map { index in
        (projected[index] + projected[index % width * width + index / width]) / 2
      }
      guard let problem = SymmetricEigenproblem(symmetric, count: width) else { return nil }
      let ritz = basis.combined(problem.vectors)
      let images = image.combined(problem.vectors)
      let values = problem.values
      let residual = ritz.residual(images, values, count: count) / max(abs(values[0]), 1e-300)
      let isStuck = residual <= Self.toleranceOfClusters && residual > lastResidual / 2
      if residual <= Self.tolerance || isStuck || round == Self.largestRoundCount {
        return (Array(values[..<count]), ritz)
      }
      lastResidual = residual
      // Where many eigenvalues are close, the damped range must end below those that are wanted.
      let end = min(values[width - 1], 0.95 * values[count - 1])
      vectors = filtered(ritz, end: max(end, 1e-10 * values[0]))
    }
    return nil
  }

  private func product(_ x: Columns) -> Columns {
    x.multiplied(by: matrix).multiplied(by: matrix.transposed)
  }

  /// The Chebyshev polynomial that is at most 1 between 0 and `end` and grows above.
  private func filtered(_ x: Columns, end: Double) -> Columns {
    // 2 B / end − 1 maps 0 … end to −1 … 1.
    func mapped(_ x: Columns) -> Columns {
      product(x).scaled(2 / end, adding: x, scaledBy: -1)
    }
    var (last, current) = (x, mapped(x))
    for _ in 1..<Self.degree {
      (last, current) = (current, mapped(current).scaled(2, adding: last, scaledBy: -1))
    }
    return current
  }
}

/// Vectors as the columns of a row-major matrix in double precision.
private struct Columns {
  let rows: Int
  let count: Int
  var elements: [Double]

  init(rows: Int, count: Int) {
    self.rows = rows
    self.count = count
    elements = [Double](repeating: 0, count: rows * count)
  }

  func column(_ index: Int) -> [Double] { (0..<rows).map { elements[$0 * count + index] } }

  /// `A x`. The entries of a row of A are added in the order of their columns.
  func multiplied(by matrix: SparseMatrix) -> Columns {
    var result = Columns(rows: matrix.rows, count: count)
    let width = count
    elements.withUnsafeBufferPointer { source in
      result.elements.withUnsafeMutableBufferPointer { buffer in
        guard let x = source.baseAddress, let y = buffer.baseAddress else { return }
        nonisolated(unsafe) let (from, into) = (x, y)
        let cost = 2 * width * (1 + matrix.entryCount / max(1, matrix.rows))
        Lanes.current.forEachRange(of: matrix.rows, elements: cost) { rows in
          for row in rows {
            for entry in matrix.entries(ofRow: row) {
              BLAS.accumulate(
                from + Int(matrix.indices[entry]) * width,
                scaledBy: Double(matrix.values[entry]), into: into + row * width, count: width)
            }
          }
        }
      }
    }
    return result
  }

  /// `factor · self + otherFactor · other`.
  func scaled(_ factor: Double, adding other: Columns, scaledBy otherFactor: Double) -> Columns {
    var result = other
    for index in result.elements.indices {
      result.elements[index] = factor * elements[index] + otherFactor * other.elements[index]
    }
    return result
  }

  /// `selfᵀ · other`, `[count, other.count]`.
  func products(with other: Columns) -> [Double] {
    BLAS.multiply(
      elements, transposeA: true, other.elements, rows: count, inner: rows, columns: other.count)
  }

  /// Sums of the columns, weighted by each row of `weights`, `[count, count]`.
  func combined(_ weights: [Double]) -> Columns {
    var result = Columns(rows: rows, count: count)
    result.elements = BLAS.multiply(
      elements, weights, transposeB: true, rows: rows, inner: count, columns: count)
    return result
  }

  /// Orthonormal columns that span the same space; zeros where it has fewer dimensions.
  func orthonormal() -> Columns? {
    let products = products(with: self)
    let lengths = (0..<count).map { products[$0 * count + $0].squareRoot() }
    let cosines = (0..<count * count).map { index in
      let length = lengths[index / count] * lengths[index % count]
      return length > 0 ? products[index] / length : 0
    }
    guard let problem = SymmetricEigenproblem(cosines, count: count) else { return nil }
    let weights = (0..<count * count).map { index in
      let (value, length) = (problem.values[index / count], lengths[index % count])
      return value > 1e-12 && length > 0
        ? problem.vectors[index] / (value.squareRoot() * length) : 0
    }
    return combined(weights)
  }

  /// The largest ‖image − value · vector‖ of the first columns.
  func residual(_ images: Columns, _ values: [Double], count wanted: Int) -> Double {
    (0..<wanted).map { column in
      (0..<rows).reduce(0) { sum, row in
        let index = row * count + column
        let difference = images.elements[index] - values[column] * elements[index]
        return sum + difference * difference
      }.squareRoot()
    }.max() ?? 0
  }
}
