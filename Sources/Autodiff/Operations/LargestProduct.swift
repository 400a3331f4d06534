internal import Tensors

extension Tape {
  /// The largest of several scaled columns, cut off at 0:
  ///
  ///     y_e = max(0, max_m x_m[e] · s[i_e, m])
  ///
  /// - Parameters:
  ///   - columns: x_m, M variables `[E, 1]`.
  ///   - scales: s, `[J, M]`.
  ///   - indices: i, the row of `scales` that each element meets, `[E]`.
  /// - Returns: `[E, 1]`. The gradient flows into the largest product alone (the first of equal
  ///   ones), and nowhere where the result is 0.
  public func largestProduct(
    _ columns: [Variable], scales: Variable, _ indices: [Int32]
  ) -> Variable {
    let count = indices.count
    precondition(
      columns.count == scales.columns, "\(columns.count) columns, \(scales.columns) scales")
    precondition(columns.allSatisfy { $0.value.count == count }, "largestProduct of unequal counts")
    let width = scales.columns
    let output = matrix(rows: count, columns: 1)
    // The column that won; -1 where no product is positive.
    var winners = [Int32](repeating: -1, count: count)
    for element in 0..<count {
      let scale = scales.value.pointer + Int(indices[element]) * width
      var largest: Float = 0
      for column in 0..<width {
        let product = columns[column].value.pointer[element] * scale[column]
        if product > largest { (largest, winners[element]) = (product, Int32(column)) }
      }
      output.pointer[element] = largest
    }
    let won = winners
    return record(output, from: columns + [scales]) { [unowned self] gradient in
      for (column, variable) in columns.enumerated() {
        scatter(into: variable) { target in
          for element in 0..<count where won[element] == Int32(column) {
            target.pointer[element] +=
              gradient.pointer[element]
              * scales.value.pointer[Int(indices[element]) * width + column]
          }
        }
      }
      scatter(into: scales) { target in
        for element in 0..<count where won[element] >= 0 {
          let column = Int(won[element])
          target.pointer[Int(indices[element]) * width + column] +=
            gradient.pointer[element] * columns[column].value.pointer[element]
        }
      }
    }
  }
}
