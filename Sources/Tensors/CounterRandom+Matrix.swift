extension CounterRandom {
  /// Fills a matrix with a function of uniform numbers in 0 ..< 1, four of a row per draw.
  ///
  /// A number depends on the row's id and its column, and on no other row, so that processes with
  /// different rows draw the same for those that they share.
  ///
  /// - Parameters:
  ///   - target: `[J, D]`.
  ///   - ids: of the rows, `[J]`; nil: their positions.
  ///   - firstIndex: of the draws of a row; it takes (D + 3) / 4 of them.
  public func fill(
    _ target: Matrix, ids: [Int32]? = nil, firstIndex: Int, _ value: (Float) -> Float
  ) {
    let width = target.columns
    Lanes.current.forEachRange(of: target.rows, elements: 16 * width) { rows in
      for row in rows {
        let values = target.pointer + row * width
        let id = ids.map { Int($0[row]) } ?? row
        for start in stride(from: 0, to: width, by: 4) {
          let words = words(id: id, index: firstIndex + start / 4)
          for place in 0..<min(4, width - start) {
            values[start + place] = value(Self.unit(words[place]))
          }
        }
      }
    }
  }
}
