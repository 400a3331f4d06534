internal import Foundation

extension Tape {
  /// A convex combination of matrices whose weights are a softmax per row.
  ///
  ///     β_m = softmax_m(s_m),  S = Σ_m β_m x_m      (row by row)
  ///
  /// - Parameters:
  ///   - parts: x_m, `[J, D]` each.
  ///   - scores: s_m, `[J, 1]` each; gradients flow to parts and scores.
  /// - Returns: `[J, D]`; `dx_m = β_m g`, `ds_m = β_m (g·x_m − Σ_k β_k g·x_k)`.
  /// - Precondition: one score column per part, at least one part.
  public func softmaxFusion(_ parts: [Variable], scores: [Variable]) -> Variable {
    precondition(!parts.isEmpty && parts.count == scores.count, "softmaxFusion of \(parts.count)")
    let (rows, width, ways) = (parts[0].rows, parts[0].columns, parts.count)
    for (part, score) in zip(parts, scores) {
      precondition(
        part.rows == rows && part.columns == width && score.rows == rows && score.columns == 1,
        "softmaxFusion: part \(part.value.shape), score \(score.value.shape)")
    }
    let output = matrix(rows: rows, columns: width)
    let weights = matrix(rows: rows, columns: ways)  // β
    Lanes.current.forEachRange(of: rows, elements: 2 * ways * width) { range in
      for row in range {
        let weight = weights.row(row)
        var largest = -Float.infinity
        for score in scores { largest = max(largest, score.value.pointer[row]) }
        var sum: Float = 0
        for way in 0..<ways {
          weight[way] = exp(scores[way].value.pointer[row] - largest)
          sum += weight[way]
        }
        let target = output.pointer + row * width
        target.update(repeating: 0, count: width)
        for way in 0..<ways {
          weight[way] /= sum
          BLAS.accumulate(
            parts[way].value.pointer + row * width, scaledBy: weight[way], into: target,
            count: width)
        }
      }
    }
    return record(output, from: parts + scores) { [unowned self] gradient in
      for (way, part) in parts.enumerated() {
        accumulate(into: part, rowsCosting: width) { target, range, isFirst in
          for row in range {
            add(
              gradient, scaledBy: weights[row, way], to: target,
              row * width..<(row + 1) * width, isFirst: isFirst)
          }
        }
      }
      for (way, score) in scores.enumerated() {
        accumulate(into: score, rowsCosting: 2 * width) { target, range, isFirst in
          for row in range {
            // g·S is the mean of all g·x_k under β.
            let g = gradient.pointer + row * width
            let own = BLAS.dot(g, parts[way].value.pointer + row * width, count: width)
            let mean = BLAS.dot(g, output.pointer + row * width, count: width)
            let share = weights[row, way] * (own - mean)
            target.pointer[row] = isFirst ? share : target.pointer[row] + share
          }
        }
      }
    }
  }
}
