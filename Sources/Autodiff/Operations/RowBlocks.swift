internal import Tensors

extension Tape {
  /// Matrices of one width below each other, such as users above items.
  ///
  /// - Returns: `[Σ rows, D]`.
  /// - Precondition: at least one part; equal widths.
  public func concatenateRows(_ parts: [Variable]) -> Variable {
    let width = parts[0].columns
    let output = matrix(rows: parts.reduce(0) { $0 + $1.rows }, columns: width)
    var offset = 0
    for part in parts {
      precondition(part.columns == width, "concatenateRows: width \(part.columns) below \(width)")
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

  /// Some neighbouring rows of a matrix, `[range.count, D]`.
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
