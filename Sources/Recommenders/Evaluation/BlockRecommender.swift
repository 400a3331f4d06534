import Tensors

/// Recommends the best items to many users, block by block, by inner product. Memory does not grow
/// with the number of users.
///
/// The products have the shape that they have in an evaluation, however many users a block has: a
/// user gets the same scores alone and among all.
package final class BlockRecommender {
  /// The most users of a block.
  package static let blockSize = TiledRanking.TileSize().users

  private let ranking: TiledRanking

  /// - Parameters:
  ///   - items: the final item matrix, `[I, D]`.
  ///   - count: how many items a user gets; fewer if fewer are not excluded.
  /// - Precondition: `count > 0`.
  package init(items: Matrix, count: Int) {
    ranking = TiledRanking(items: items, depth: count, tile: TiledRanking.TileSize())
  }

  /// The best items for each user, best first; equal scores by ascending id.
  ///
  /// - Parameters:
  ///   - users: final vectors, at most ``blockSize`` rows, `[block, D]`.
  ///   - excluded: for each of them, ascending ids of items that are not recommended.
  ///   - subject: the name of a row in errors, such as `user 3`.
  /// - Throws: `EvaluationError` if a score is not finite.
  /// - Precondition: users and items have the same width.
  package func top(
    for users: Matrix, excluding excluded: [ReadOnlyArray<Int32>], subject: (Int) -> String
  ) throws -> [[RankedItem]] {
    try ranking.rank(
      Array(0..<users.rows)[...], of: users, excluded: excluded, subject: subject)
    return (0..<users.rows).map { Array(ranking.best($0)) }
  }
}
