extension Tape {
  /// The mean of the squares of a batch matrix's elements: `Σ_b ‖x[index_b]‖² / (count · D)`.
  ///
  /// - Parameters:
  ///   - x: `[J, D]`.
  ///   - indices: rows of `x`, one per entry of this shard's batch; nil means every row once.
  ///   - count: the entries of the whole step, so that shards add up.
  /// - Returns: `[1, 1]`; see ``gatheredHalfSquares(_:_:scale:)``.
  public func meanSquare(_ x: Variable, _ indices: [Int32]? = nil, count: Int) -> Variable {
    gatheredHalfSquares(
      x, indices ?? (0..<Int32(x.rows)).map { $0 }, scale: 2 / Float(max(1, count * x.columns)))
  }
}
