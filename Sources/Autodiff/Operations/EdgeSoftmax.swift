internal import Foundation
public import Tensors

extension Tape {
  /// Attention over the edges that lead to each target:
  ///
  ///     α_e = e^{l_e} / Σ_{e' to the same target} e^{l_e'}
  ///
  /// - Parameter logits: l, `[edges, 1]`.
  /// - Returns: `[edges, 1]`; sums to 1 for each target that has edges.
  /// - Numerics: the largest logit of a target is subtracted first.
  public func edgeSoftmax(_ logits: Variable, over edges: EdgeList) -> Variable {
    precondition(logits.value.count == edges.count, "\(edges.count) edges, \(logits.value.shape)")
    let output = matrix(rows: edges.count, columns: 1)
    for target in 0..<edges.targetCount {
      let range = edges.edges(to: target)
      var largest = -Float.infinity
      for edge in range { largest = max(largest, logits.value.pointer[edge]) }
      var sum: Float = 0
      for edge in range {
        output.pointer[edge] = exp(logits.value.pointer[edge] - largest)
        sum += output.pointer[edge]
      }
      for edge in range { output.pointer[edge] /= sum }
    }
    return record(output, from: logits) { [unowned self] gradient in
      accumulate(into: logits) { destination, isFirst in
        for target in 0..<edges.targetCount {
          let range = edges.edges(to: target)
          var mean: Float = 0
          for edge in range { mean += output.pointer[edge] * gradient.pointer[edge] }
          for edge in range {
            let share = output.pointer[edge] * (gradient.pointer[edge] - mean)
            destination.pointer[edge] = isFirst ? share : destination.pointer[edge] + share
          }
        }
      }
    }
  }
}
