internal import Tensors

/// Items that users may like: for each modality the items most similar to all of the user's
/// training items together (which are among them, as a rule), joined over the modalities.
///
/// The sum of an item's similarities with a user's items is the product of its unit row with the
/// sum of theirs, so that a user costs one row of a matrix product.
enum LikelyItems {
  /// `[U, I]`, at most `count` items per modality and user; none for users without items.
  static func find(
    train: AdjacencyList, similarities: [ItemSimilarity], count: Int
  ) -> AdjacencyList {
    var pairs: [(Int32, Int32)] = []
    for similarity in similarities {
      SimilaritySearch([similarity.rows]).run(
        queryCount: train.rowCount, count: { train.degree($0) > 0 ? count : 0 },
        focus: { $0.focus(onSumOf: train[$1]) },
        visit: { user, matches in
          for match in matches { pairs.append((Int32(user), match.item)) }
        })
    }
    return AdjacencyList(rowCount: train.rowCount, columnCount: train.columnCount, pairs: pairs)
  }
}
