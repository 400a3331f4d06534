internal import COpenBLAS

/// The eigenvalues and eigenvectors of a real symmetric matrix, `A = Σ_k λ_k v_k v_kᵀ`.
///
/// The sign of an eigenvector is free: here its component of the largest magnitude is positive.
///
/// - Source: LAPACK's `dsyevd`, by divide and conquer.
public struct SymmetricEigenproblem: Sendable {
  /// λ, descending, `[n]`.
  public let values: [Double]
  /// One eigenvector per row, in the order of ``values``, `[n, n]`, row-major.
  public let vectors: [Double]

  /// - Parameter matrix: `[n, n]`, row-major; only one triangle is read.
  /// - Returns: nil for numbers that are not finite, and if LAPACK finds no solution.
  public init?(_ matrix: [Double], count n: Int) {
    precondition(matrix.count == n * n, "an eigenproblem of \(matrix.count) elements, not \(n)²")
    guard n > 0, matrix.allSatisfy(\.isFinite) else { return nil }
    var vectors = matrix
    var values = [Double](repeating: 0, count: n)
    // The smallest that the routine's documentation allows.
    var work = [Double](repeating: 0, count: 1 + 6 * n + 2 * n * n)
    var integers = [blasint](repeating: 0, count: 3 + 5 * n)
    var (order, length, integerLength) = (
      blasint(n), blasint(work.count), blasint(integers.count)
    )
    var (job, triangle) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")))
    var status: blasint = 0
    dsyevd_(
      &job, &triangle, &order, &vectors, &order, &values, &work, &length, &integers,
      &integerLength, &status, 1, 1)
    guard status == 0 else { return nil }
    // The routine's columns are these rows; it orders them ascending.
    self.values = values.reversed()
    self.vectors = (0..<n).reversed().flatMap { row in
      Self.oriented(vectors[row * n..<(row + 1) * n])
    }
  }

  private static func oriented(_ vector: ArraySlice<Double>) -> [Double] {
    // Nearly equal magnitudes may be rounded differently, so the first of them decides.
    let largest = vector.map(abs).max() ?? 0
    let leading = vector.first { abs($0) > 0.999 * largest } ?? 0
    return leading < 0 ? vector.map { -$0 } : Array(vector)
  }
}
