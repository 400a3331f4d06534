extension Tape {
  /// `y[b] = x[index_b]`; rows may repeat, gradients add up.
  ///
  /// - Returns: `[indices.count, D]`.
  public func gather(_ x: Variable, _ indices: [Int32]) -> Variable {
    let width = x.columns
    let output = matrix(rows: indices.count, columns: width)
    let (source, target) = (x.value.pointer, output.pointer)
    Lanes.current.forEachRange(of: indices.count, elements: width) { rows in
      for row in rows {
        (target + row * width).update(from: source + Int(indices[row]) * width, count: width)
      }
    }
    return record(output, from: x) { [unowned self] gradient in
      guard !keep(gradient, ofRows: indices, in: x) else { return }
      scatter(into: x, rows: indices) { position, target in
        BLAS.accumulate(gradient.pointer + position * width, into: target, count: width)
      }
    }
  }

  /// `[x₁ | x₂ | …]`: matrices with equal row counts side by side, `[rows, Σ columns]`.
  public func concatenateColumns(_ parts: [Variable]) -> Variable {
    let rows = parts[0].rows
    let width = parts.reduce(0) { $0 + $1.columns }
    let output = matrix(rows: rows, columns: width)
    for part in parts {
      precondition(part.rows == rows, "concatenateColumns: \(rows) and \(part.rows) rows")
    }
    Lanes.current.forEachRange(of: rows, elements: width) { range in
      var offset = 0
      for part in parts {
        let (columns, source, target) = (part.columns, part.value.pointer, output.pointer + offset)
        for row in range {
          (target + row * width).update(from: source + row * columns, count: columns)
        }
        offset += columns
      }
    }
    return record(output, from: parts) { [unowned self] gradient in
      var offset = 0
      for part in parts {
        let columns = part.columns
        let start = gradient.pointer + offset
        accumulate(into: part, rowsCosting: columns) { target, rows, isFirst in
          for row in rows {
            let source = start + row * width
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
    Lanes.current.forEachRange(of: x.rows, elements: range.count) { rows in
      for row in rows {
        (output.pointer + row * range.count)
          .update(from: x.value.pointer + row * x.columns + range.lowerBound, count: range.count)
      }
    }
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x, rowsCosting: x.columns) { target, rows, isFirst in
        for row in rows {
          let destination = target.pointer + row * x.columns
          if isFirst { destination.update(repeating: 0, count: x.columns) }
          BLAS.accumulate(
            gradient.pointer + row * range.count, into: destination + range.lowerBound,
            count: range.count)
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
    Lanes.current.forEachRange(of: xIndices.count, elements: 2 * width) { rows in
      for row in rows {
        output.pointer[row] = BLAS.dot(
          x.value.pointer + Int(xIndices[row]) * width,
          y.value.pointer + Int(yIndices[row]) * width, count: width)
      }
    }
    return record(output, from: x, y) { [unowned self] gradient in
      scatter(into: x, rows: xIndices) { position, target in
        BLAS.accumulate(
          y.value.pointer + Int(yIndices[position]) * width,
          scaledBy: gradient.pointer[position], into: target, count: width)
      }
      scatter(into: y, rows: yIndices) { position, target in
        BLAS.accumulate(
          x.value.pointer + Int(xIndices[position]) * width,
          scaledBy: gradient.pointer[position], into: target, count: width)
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
      let target = output.pointer + offset
      Lanes.current.forEachRange(of: part.value.count) { range in
        (target + range.lowerBound)
          .update(from: part.value.pointer + range.lowerBound, count: range.count)
      }
      offset += part.value.count
    }
    return record(output, from: parts) { [unowned self] gradient in
      var offset = 0
      for part in parts {
        let start = gradient.pointer + offset
        accumulate(into: part, elements: 1) { target, range, isFirst in
          let source = start + range.lowerBound
          let destination = target.pointer + range.lowerBound
          if isFirst {
            destination.update(from: source, count: range.count)
          } else {
            BLAS.accumulate(source, into: destination, count: range.count)
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
    let source = x.value.pointer + start
    Lanes.current.forEachRange(of: output.count) { part in
      (output.pointer + part.lowerBound).update(from: source + part.lowerBound, count: part.count)
    }
    return record(output, from: x) { [unowned self] gradient in
      accumulate(into: x) { target, isFirst in
        if isFirst {
          // Everything outside the range is zero, and the range is overwritten.
          let end = start + gradient.count
          target.pointer.update(repeating: 0, count: start)
          (target.pointer + end).update(repeating: 0, count: target.count - end)
        }
        let destination = target.pointer + start
        Lanes.current.forEachRange(of: gradient.count) { part in
          let share = gradient.pointer + part.lowerBound
          if isFirst {
            (destination + part.lowerBound).update(from: share, count: part.count)
          } else {
            BLAS.accumulate(share, into: destination + part.lowerBound, count: part.count)
          }
        }
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
    Lanes.current.forEachRange(of: rows, elements: parts.count * width) { range in
      for row in range {
        let target = output.pointer + row * width
        target.update(repeating: 0, count: width)
        for (column, part) in parts.enumerated() {
          BLAS.accumulate(
            part.value.pointer + row * width,
            scaledBy: weights.value.pointer[row * parts.count + column], into: target,
            count: width)
        }
      }
    }
    return record(output, from: parts + [weights]) { [unowned self] gradient in
      for (column, part) in parts.enumerated() {
        accumulate(into: part, rowsCosting: width) { target, range, isFirst in
          for row in range {
            let destination = target.pointer + row * width
            if isFirst { destination.update(repeating: 0, count: width) }
            guard row < rows else { continue }
            BLAS.accumulate(
              gradient.pointer + row * width,
              scaledBy: weights.value.pointer[row * parts.count + column], into: destination,
              count: width)
          }
        }
      }
      accumulate(into: weights, rowsCosting: parts.count * width) { target, range, isFirst in
        for row in range {
          for (column, part) in parts.enumerated() {
            let share = BLAS.dot(
              gradient.pointer + row * width, part.value.pointer + row * width, count: width)
            let index = row * parts.count + column
            target.pointer[index] = isFirst ? share : target.pointer[index] + share
          }
        }
      }
    }
  }
}

extension Tape {
  /// Adds to some rows of a variable's gradient: `add` adds the share of each position to the row
  /// `indices[position]` of the gradient, which begins with zeros.
  ///
  /// Lanes have target rows of their own, so that the shares of a row are added in the order of
  /// their positions.
  func scatter(
    into variable: Variable, rows indices: [Int32],
    _ add: (_ position: Int, _ row: UnsafeMutablePointer<Float>) -> Void
  ) {
    let width = variable.columns
    accumulate(into: variable, onlyRows: indices) { gradient in
      let targets = max(1, gradient.rows)
      // Every block searches all indices, so there are few.
      let elements = min(indices.count * width / targets, 8 * Lanes.blockElements / targets)
      Lanes.current.forEachRange(of: gradient.rows, elements: elements) { rows in
        let isWhole = rows.count == gradient.rows
        for (position, index) in indices.enumerated()
        where isWhole || rows.contains(Int(index)) {
          add(position, gradient.pointer + Int(index) * width)
        }
      }
    }
  }
}
