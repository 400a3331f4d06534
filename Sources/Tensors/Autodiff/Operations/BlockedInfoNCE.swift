extension Tape {
  /// ``infoNCE(_:_:temperature:)`` of so many rows that the logits of all pairs have no room: they
  /// are computed in blocks of rows of `x`, and only one block exists at a time.
  ///
  /// The result is one number, so its gradient is known up to a factor when it is computed: each
  /// block adds its share of it at once, and no block is computed again in a backward pass.
  ///
  /// - Parameters:
  ///   - x: anchors, `[J, D]`.
  ///   - y: their partners in the same rows, and the candidates of all, `[J, D]`.
  ///   - blockElements: logits of a block, at most, unless a single row has more.
  /// - Returns: `[1, 1]`, nats, 0 for no rows. With p the soft-max of a row:
  ///   `da_i = (Σ_j p_ij b_j − b_i) / Jτ`, `db_j = (Σ_i p_ij a_i − a_j) / Jτ`.
  /// - Complexity: three products of O(J² D), one without gradients; `blockElements` numbers and
  ///   four matrices of the shape of `x`.
  /// - Numerics: blocks are added in their order, so the result is the same on any number of lanes.
  public func blockedInfoNCE(
    _ x: Variable, _ y: Variable, temperature: Float, blockElements: Int = 1 << 22
  ) -> Variable {
    precondition(
      x.value.hasSameShape(as: y.value), "blockedInfoNCE of \(x.value.shape), \(y.value.shape)")
    let (a, b) = (rowL2(x), rowL2(y))
    let count = a.rows
    let needsGradient = a.needsGradient || b.needsGradient
    let ofA = needsGradient ? matrix(rows: count, columns: x.columns) : nil
    let ofB = needsGradient ? matrix(rows: count, columns: x.columns) : nil
    let size = max(1, min(count, blockElements / max(1, count)))
    let whole = matrix(rows: size, columns: count)
    var total = 0.0
    for start in stride(from: 0, to: count, by: size) {
      let rows = start..<min(count, start + size)
      // First logits, then the soft-max of each row.
      let weights = rows.count == size ? whole : matrix(rows: rows.count, columns: count)
      let anchors = BLAS.Block(a.value).rows(rows)
      BLAS.multiply(
        anchors, .init(b.value), transposeB: true, into: .init(weights), alpha: 1 / temperature)
      for row in rows { total -= Double(weights[row - start, row]) }
      for logSum in weights.softmaxRows() { total += logSum }
      guard let ofA, let ofB else { continue }
      BLAS.multiply(.init(weights), .init(b.value), into: BLAS.Block(ofA).rows(rows))
      BLAS.multiply(
        .init(weights), transposeA: true, anchors, into: .init(ofB), beta: start == 0 ? 0 : 1)
    }
    let divisor = Float(max(1, count))
    return record(scalar(Float(total / Double(divisor))), from: a, b) { [unowned self] gradient in
      let factor = gradient.pointer[0] / (divisor * temperature)
      for (variable, own, partner) in [(a, ofA, b), (b, ofB, a)] {
        guard let own else { continue }
        accumulate(into: variable, elements: 2) { target, range, isFirst in
          add(own, scaledBy: factor, to: target, range, isFirst: isFirst)
          add(partner.value, scaledBy: -factor, to: target, range, isFirst: false)
        }
      }
    }
  }
}
