import Datasets
import Tensors

/// The item graph that LATTICE learns: nearest items by trained features, mixed over modalities.
///
///     s_m,ij = cos(p_i, p_j) of the k nearest j of i,  a_ij = Σ_m β_m s_m,ij
///     y_i = Σ_j a_ij x_j / √(d_i d_j),  d_i = Σ_j a_ij     (0 where d ≤ 0)
///
/// Which items are nearest is a constant; their similarities are not. Where the reference holds
/// matrices `[I, I]`, this has k edges per item and modality.
struct LearnedItemGraph: Sendable {
  /// The nearest items, per modality.
  private let edges: [EdgeList]

  /// Finds the nearest items.
  ///
  /// - Parameters:
  ///   - projected: the values of p_m, `[I, d]`. Numbers that are not finite, of a training that
  ///     fails, have no neighbours.
  ///   - modalities: whose masks say which items have them.
  ///   - count: k, the item itself included.
  init(_ projected: [Matrix], modalities: [FeatureMatrix], count: Int) {
    edges = zip(projected, modalities).map { values, modality in
      // A recording reuses its matrices.
      let copy = Matrix(rows: values.rows, columns: values.columns)
      copy.copy(from: values)
      let features = try? FeatureMatrix(name: modality.name, matrix: copy, mask: modality.mask)
      return EdgeList(
        features?.nearestRows(count: count)
          ?? SparseMatrix(rows: values.rows, columns: values.rows, entries: []))
    }
  }

  /// y, `[I, D]`.
  ///
  /// - Parameters:
  ///   - x: `[I, D]`.
  ///   - projected: p_m, `[I, d]`.
  ///   - weights: β, `[1, M]`.
  func propagate(
    on tape: Tape, _ x: Variable, projected: [Variable], weights: Variable
  ) -> Variable {
    let similarities = zip(edges, projected).enumerated().map { modality, part in
      let unit = tape.rowL2(part.1)
      let cosines = tape.rowDot(unit, part.0.targets, unit, part.0.sources)
      return tape.multiply(cosines, tape.columns(weights, modality..<modality + 1))
    }
    func sums(of x: Variable) -> Variable {
      tape.sum(zip(edges, similarities).map { (tape.multiply($0, weights: $1, x), 1) })
    }
    let ones = Matrix(rows: x.rows, columns: 1)
    ones.fill(1)
    let scale = tape.inverseSquareRoot(sums(of: tape.constant(ones)))
    let scaled = tape.weightedRowSum([x], weights: scale)
    return tape.weightedRowSum([sums(of: scaled)], weights: scale)
  }
}
