internal import CKernels

extension Matrix {
  /// Turns logits into soft-max weights row by row, in place.
  ///
  /// - Parameter factors: `[rows]`, what the weights of each row are then multiplied by; nil for 1.
  /// - Returns: `[rows]`, the logarithms of the sums of e^logit.
  /// - Precondition: a factor for every row.
  package func softmaxRows(times factors: [Float]? = nil) -> [Double] {
    guard let factors else { return softmaxRows(factors: nil) }
    precondition(factors.count == rows, "\(factors.count) factors of \(rows) rows")
    return factors.withUnsafeBufferPointer { softmaxRows(factors: $0.baseAddress) }
  }

  private func softmaxRows(factors: UnsafePointer<Float>?) -> [Double] {
    [Double](unsafeUninitializedCapacity: rows) { buffer, count in
      if let sums = buffer.baseAddress {
        Lanes.current.forEachRange(of: rows, elements: 4 * columns) { range in
          mrdib_softmax_rows(
            pointer + range.lowerBound * columns, range.count, columns,
            factors.map { $0 + range.lowerBound }, sums + range.lowerBound)
        }
      }
      count = rows
    }
  }
}
