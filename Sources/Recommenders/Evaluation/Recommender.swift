import Tensors

/// Recommends the best items for a user by inner product.
public struct Recommender: Sendable {
  private let items: Matrix

  /// - Parameter items: the final item matrix, `[I, D]`.
  public init(items: Matrix) { self.items = items }

  /// The best `count` items for a user vector, best first; equal scores by ascending id.
  ///
  /// - Parameters:
  ///   - count: how many items; fewer are returned if fewer are not excluded.
  ///   - userVector: `[D]`.
  ///   - excluded: items not to be recommended (the user's own), in any order.
  /// - Throws: `EvaluationError` if a score is not finite or the widths differ.
  public func top(
    _ count: Int, for userVector: [Float], excluding excluded: [Int32] = []
  ) throws -> [RankedItem] {
    guard userVector.count == items.columns else {
      throw EvaluationError.shapesDisagree(
        "a user vector of \(userVector.count) numbers and items \(items.shape) have different"
          + " widths")
    }
    guard count > 0, items.rows > 0 else { return [] }
    let ranking = TiledRanking(
      items: items, depth: count, tile: TiledRanking.TileSize(users: 1, items: 8192))
    let user = Matrix(rows: 1, columns: userVector.count, elements: userVector)
    let known = excluded.filter { $0 >= 0 && Int($0) < items.rows }.sorted()
    try ranking.rank([0], of: user, excluded: [known[...]], subject: { _ in "a user vector" })
    return Array(ranking.best(0))
  }
}
