public import Tensors

extension Tape {
  /// `y = M · x` with a constant sparse matrix: one step of propagation over a graph.
  ///
  /// - Parameters:
  ///   - matrix: M, `[R, C]`; its transpose is made (once) for the way back.
  ///   - x: `[C, D]`.
  /// - Returns: `[R, D]`; `dx = Mᵀ g`.
  public func multiply(_ matrix: SparseMatrix, _ x: Variable) -> Variable {
    let output = self.matrix(rows: matrix.rows, columns: x.columns)
    matrix.multiply(x.value, into: output)
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        if isFirst { return matrix.transposed.multiply(gradient, into: target) }
        let share = self.matrix(rows: target.rows, columns: target.columns)
        matrix.transposed.multiply(gradient, into: share)
        BLAS.accumulate(share.pointer, into: target.pointer, count: target.count)
      }
    }
  }
}
