extension Tape {
  /// `y[b] = x[index_b]`; rows may repeat, gradients add up.
  ///
  /// - Returns: `[indices.count, D]`.
  public func gather(_ x: Variable, _ indices: [Int32]) -> Variable {
    let width = x.columns
    let output = matrix(rows: indices.count, columns: width)
    for (row, index) in indices.enumerated() {
      (output.pointer + row * width).update(
        from: x.value.pointer + Int(index) * width, count: width)
    }
    return record(output, from: x) { [unowned self] gradient in
      scatter(into: x) { target in
        for (row, index) in indices.enumerated() {
          BLAS.accumulate(
            gradient.pointer + row * width, into: target.pointer + Int(index) * width, count: width)
        }
      }
    }
  }

  /// `[x₁ | x₂ | …]`: matrices with equal row counts side by side, `[rows, Σ columns]`.
  public func concatenateColumns(_ parts: [Variable]) -> Variable {
    let rows = parts[0].rows
    let width = parts.reduce(0) { $0 + $1.columns }
    let output = matrix(rows: rows, columns: width)
    var offset = 0
    for part in parts {
      precondition(part.rows == rows, "concatenateColumns: \(rows) and \(part.rows) rows")
      for row in 0..<rows {
        (output.pointer + row * width + offset)
          .update(from: part.value.pointer + row * part.columns, count: part.columns)
      }
      offset += part.columns
    }
    return record(output, from: parts) { [unowned self] gradient in
      var offset = 0
      for part in parts {
        let columns = part.columns
        accumulate(into: part) { target, isFirst in
          for row in 0..<rows {
            let source = gradient.pointer + row * width + offset
            let destination = target.pointer + row * columns
            if isFirst {
              destination.update(from: source, count: columns)
            } else {
              BLAS.accumulate(source, into: destination, count: columns)
            }
          }
        }
        offset += columns
      }
    }
  }

  /// A range of consecutive columns of a matrix, `[rows, range.count]`.
  public func columns(_ x: Variable, _ range: Range<Int>) -> Variable {
    precondition(range.lowerBound >= 0 && range.upperBound <= x.columns, "columns \(range)")
    let output = matrix(rows: x.rows, columns: range.count)
    for row in 0..<x.rows {
      (output.pointer + row * range.count)
        .update(from: x.value.pointer + row * x.columns + range.lowerBound, count: range.count)
    }
    return record(output, from: x) { [unowned self] gradient in
      scatter(into: x) { target in
        for row in 0..<x.rows {
          BLAS.accumulate(
            gradient.pointer + row * range.count,
            into: target.pointer + row * x.columns + range.lowerBound, count: range.count)
        }
      }
    }
  }

  /// Inner products of paired rows: `s_b = ⟨x[i_b], y[j_b]⟩`.
  ///
  /// - Returns: `[B, 1]`.
  public func rowDot(
    _ x: Variable, _ xIndices: [Int32], _ y: Variable, _ yIndices: [Int32]
  ) -> Variable {
    precondition(x.columns == y.columns, "rowDot of \(x.value.shape) and \(y.value.shape)")
    precondition(xIndices.count == yIndices.count, "rowDot of unequal index counts")
    let width = x.columns
    let output = matrix(rows: xIndices.count, columns: 1)
    for row in 0..<xIndices.count {
      output.pointer[row] = BLAS.dot(
        x.value.pointer + Int(xIndices[row]) * width, y.value.pointer + Int(yIndices[row]) * width,
        count: width)
    }
    return record(output, from: x, y) { [unowned self] gradient in
      scatter(into: x) { target in
        for row in 0..<xIndices.count {
          BLAS.accumulate(
            y.value.pointer + Int(yIndices[row]) * width, scaledBy: gradient.pointer[row],
            into: target.pointer + Int(xIndices[row]) * width, count: width)
        }
      }
      scatter(into: y) { target in
        for row in 0..<xIndices.count {
          BLAS.accumulate(
            x.value.pointer + Int(xIndices[row]) * width, scaledBy: gradient.pointer[row],
            into: target.pointer + Int(yIndices[row]) * width, count: width)
        }
      }
    }
  }
}

extension Tape {
  /// Matrices of one width stacked on each other, such as users above items.
  ///
  /// - Returns: `[Σ rows, D]`.
  /// - Precondition: at least one part; equal widths.
  public func concatenateRows(_ parts: [Variable]) -> Variable {
    let width = parts[0].columns
    let output = matrix(rows: parts.reduce(0) { $0 + $1.rows }, columns: width)
    var offset = 0
    for part in parts {
      precondition(part.columns == width, "concatenateRows: widths \(width) and \(part.columns)")
      (output.pointer + offset).update(from: part.value.pointer, count: part.value.count)
      offset += part.value.count
    }
    return record(output, from: parts) { [unowned self] gradient in
      var offset = 0
      for part in parts {
        accumulate(into: part) { target, isFirst in
          if isFirst {
            target.pointer.update(from: gradient.pointer + offset, count: target.count)
          } else {
            BLAS.accumulate(gradient.pointer + offset, into: target.pointer, count: target.count)
          }
        }
        offset += part.value.count
      }
    }
  }

  /// A range of consecutive rows of a matrix, `[range.count, D]`.
  public func rows(_ x: Variable, _ range: Range<Int>) -> Variable {
    precondition(range.lowerBound >= 0 && range.upperBound <= x.rows, "rows \(range) of \(x.rows)")
    let output = matrix(rows: range.count, columns: x.columns)
    let start = range.lowerBound * x.columns
    output.pointer.update(from: x.value.pointer + start, count: output.count)
    return record(output, from: x) { [unowned self] gradient in
      scatter(into: x) { target in
        BLAS.accumulate(gradient.pointer, into: target.pointer + start, count: gradient.count)
      }
    }
  }
}

extension Tape {
  /// A sum of matrices with a weight per row and matrix: `y[r] = Σ_k w[r, k] · x_k[r]`.
  ///
  /// - Parameters:
  ///   - parts: one matrix per column of the weights, `[≥ R, D]`; rows beyond R are ignored.
  ///   - weights: `[R, parts.count]`.
  /// - Returns: `[R, D]`; `dx_k[r] = w[r, k] g[r]`, `dw[r, k] = ⟨g[r], x_k[r]⟩`.
  public func weightedRowSum(_ parts: [Variable], weights: Variable) -> Variable {
    let (rows, width) = (weights.rows, parts[0].columns)
    precondition(
      parts.count == weights.columns
        && parts.allSatisfy { $0.rows >= rows && $0.columns == width },
      "weightedRowSum: \(parts.map(\.value.shape)) with weights \(weights.value.shape)")
    let output = matrix(rows: rows, columns: width)
    output.fill(0)
    for (column, part) in parts.enumerated() {
      for row in 0..<rows {
        BLAS.accumulate(
          part.value.pointer + row * width,
          scaledBy: weights.value.pointer[row * parts.count + column],
          into: output.pointer + row * width, count: width)
      }
    }
    return record(output, from: parts + [weights]) { [unowned self] gradient in
      for (column, part) in parts.enumerated() {
        scatter(into: part) { target in
          for row in 0..<rows {
            BLAS.accumulate(
              gradient.pointer + row * width,
              scaledBy: weights.value.pointer[row * parts.count + column],
              into: target.pointer + row * width, count: width)
          }
        }
      }
      scatter(into: weights) { target in
        for row in 0..<rows {
          for (column, part) in parts.enumerated() {
            target.pointer[row * parts.count + column] += BLAS.dot(
              gradient.pointer + row * width, part.value.pointer + row * width, count: width)
          }
        }
      }
    }
  }
}
