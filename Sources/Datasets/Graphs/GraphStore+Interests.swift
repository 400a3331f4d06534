import Tensors

/// The graphs of SOIL, which add items that users may like to those they have.
///
/// - Source: "Contrastive Second-Order Interest Learning for Multimodal Recommendation", in
///   the form of its authors' code; where that divides by a degree of 0 or less, values become
///   ``smallestValue`` here.
extension GraphStore {
  /// Smaller values of SOIL's graphs are raised to this one.
  static let smallestValue: Float = 1e-7

  /// M_m `[I, I]`: the normalised interest graph J_m plus the weighted graph of nearest items, both
  /// with values of at least 1e-7.
  ///
  /// `J_m[i, j] = s_m(i, j) ·` the number of users who have i and may like j: j is, in one of the
  /// modalities, among the `count` items most similar to all of the user's training items together.
  ///
  /// - Parameters:
  ///   - count: k_i, how many items a user may like for each modality.
  ///   - neighbours: k of the graph of nearest items.
  /// - Throws: ``GraphError`` if the data set has no such modality.
  public func interestGraph(
    modality: Int, count: Int, neighbours: Int = 10
  ) throws -> SparseMatrix {
    try cache.kept("interest-graph-m\(modality)-i\(count)-k\(neighbours)") {
      () throws(GraphError) in
      let interests = try interests(modality: modality, count: count)
      let nearest = try neighbourSimilarities(modality: modality, count: neighbours)
      return SparseMatrix.sum([
        (weight: 1, matrix: interests.normalizedByRowSums(raisingTo: Self.smallestValue)),
        (weight: 1, matrix: nearest.normalizedByRowSums(raisingTo: Self.smallestValue)),
      ])
    }
  }

  /// J_m `[I, I]`.
  package func interests(modality: Int, count: Int) throws(GraphError) -> SparseMatrix {
    let items = dataset.itemCount
    let name = "interests-m\(modality)-i\(count)"
    return try cache.stored(name, rows: items, columns: items) { _ throws(GraphError) in
      let pairs = try interestPairs(count: count)
      return try similarity(modality: modality).scaling(pairs)
    }
  }

  /// How many users have item i and may like item j, `[I, I]`.
  private func interestPairs(count: Int) throws(GraphError) -> SparseMatrix {
    precondition(count > 0, "\(count) items a user may like")
    let items = dataset.itemCount
    return try cache.stored("interest-pairs-i\(count)", rows: items, columns: items) {
      progress throws(GraphError) in
      let likely = LikelyItems.find(
        train: dataset.train, similarities: try similarities(), count: count, progress: progress)
      return PathCount.matrix(from: dataset.train.transposed, through: likely)
    }
  }

  /// The second-order graphs: each of a user's items brings in the items most similar to it in all
  /// modalities at once.
  ///
  /// Y `[U, I]` holds, for each user, the `extra + d_u` largest products `Π_m s_m(i, j)` over the
  /// user's items i and all items j, added up per j. Of equal products the smaller i comes first,
  /// then the smaller j (the product is symmetric, so that equal ones are common).
  ///
  /// - Parameter extra: k_a. The number of products is at most I per user.
  /// - Returns:
  ///   - adjacency: Â' = Â + ½ norm(Y and its transpose) `[N, N]`.
  ///   - userItem: R' = R̂ + ½ norm(Y) `[U, I]`, where an item's degree is, as in the reference,
  ///     that of the *user* with the same number. (An item beyond the last user, where the
  ///     reference stops with an error, has its own.)
  ///   - fixedUserItem: the upper right block of Â'.
  /// - Throws: ``GraphError`` if the data set has no features.
  public func secondOrder(
    extra: Int
  ) throws -> (adjacency: SparseMatrix, userItem: SparseMatrix, fixedUserItem: SparseMatrix) {
    let fixed = try cache.kept("second-order-fixed-a\(extra)") { () throws(GraphError) in
      let products = try secondOrderProducts(extra: extra)
      return addingToInteractions(products, itemDegrees: products.columnSums)
    }
    let faithful = try cache.kept("second-order-a\(extra)") { () throws(GraphError) in
      let products = try secondOrderProducts(extra: extra)
      let borrowed = products.rowSums.prefix(dataset.itemCount)
      return addingToInteractions(
        products, itemDegrees: borrowed + products.columnSums.dropFirst(borrowed.count))
    }
    let adjacency = cache.kept("second-order-adjacency-a\(extra)") {
      SparseMatrix(userToItem: fixed, itemToUser: fixed.transposed)
    }
    return (adjacency, faithful, fixed)
  }

  private func addingToInteractions(
    _ products: SparseMatrix, itemDegrees: some Collection<Double>
  ) -> SparseMatrix {
    let normalized = products.normalized(
      rowDegrees: products.rowSums, columnDegrees: Array(itemDegrees),
      raisingTo: Self.smallestValue)
    return SparseMatrix.sum([
      (weight: 1, matrix: userItem(.exact)), (weight: 0.5, matrix: normalized),
    ])
  }

  /// Y `[U, I]`.
  package func secondOrderProducts(extra: Int) throws(GraphError) -> SparseMatrix {
    precondition(extra >= 0, "\(extra) further items")
    let train = dataset.train
    return try cache.stored(
      "second-order-products-a\(extra)", rows: train.rowCount, columns: train.columnCount
    ) { progress throws(GraphError) in
      SecondOrderProducts.build(
        train: train, similarities: try similarities(), extra: extra, progress: progress)
    }
  }
}

/// Items that users may like: for each modality the items most similar to all of the user's
/// training items together (usually including these), joined over the modalities.
///
/// The sum of an item's similarities with a user's items is the product of its unit row with the
/// sum of theirs, so that a user costs one row of a matrix product.
enum LikelyItems {
  /// `[U, I]`, at most `count` items per modality and user; none for users without items, and none
  /// of a modality that all of a user's items lack: all items would be equally near.
  static func find(
    train: AdjacencyList, similarities: [ItemSimilarity], count: Int,
    progress: (Double) -> Void
  ) -> AdjacencyList {
    var pairs: [(Int32, Int32)] = []
    for (done, similarity) in similarities.enumerated() {
      SimilaritySearch([similarity.rows]).run(
        queryCount: train.rowCount,
        count: { user in
          train[user].contains { similarity.rows.features.isPresent(Int($0)) } ? count : 0
        },
        focus: { $0.focus(onSumOf: train[$1]) },
        progress: { progress((Double(done) + $0) / Double(similarities.count)) },
        visit: { user, matches in
          for match in matches { pairs.append((Int32(user), match.item)) }
        })
    }
    return AdjacencyList(rowCount: train.rowCount, columnCount: train.columnCount, pairs: pairs)
  }
}

/// SOIL's second-order weights: see ``GraphStore/secondOrder(extra:)``.
enum SecondOrderProducts {
  private typealias Product = (value: Float, item: Int32, other: Int32)

  /// Y `[U, I]`.
  ///
  /// Each item's list is computed once, as long as the user who needs most of it requires, and
  /// users merge the lists of their items.
  static func build(
    train: AdjacencyList, similarities: [ItemSimilarity], extra: Int,
    progress: (Double) -> Void
  ) -> SparseMatrix {
    let depth = { (user: Int) in min(train.degree(user) + extra, train.columnCount) }
    let usersOfItems = train.transposed
    var lists: [[SimilaritySearch.Match]] = Array(repeating: [], count: train.columnCount)
    SimilaritySearch(similarities.map(\.rows)).run(
      queryCount: train.columnCount,
      count: { item in usersOfItems[item].map { depth(Int($0)) }.max() ?? 0 },
      focus: { $0.focus(on: $1) },
      progress: progress,
      visit: { item, matches in lists[item] = Array(matches) })

    var weights = CompressedRows(columns: train.columnCount)
    for user in 0..<train.rowCount {
      let products = train[user].flatMap { item in
        lists[Int(item)].prefix(depth(user)).map { match -> Product in
          (match.similarity, item, match.item)
        }
      }
      let largest = products.sorted(by: ranksBefore).prefix(depth(user))
      for (other, weight) in sums(of: largest) { weights.append(other, Float(weight)) }
      weights.endRow()
    }
    return weights.matrix()
  }

  private static func ranksBefore(_ first: Product, _ second: Product) -> Bool {
    (second.value, first.item, first.other) < (first.value, second.item, second.other)
  }

  /// Adds up the products of each other item, in the order of the items.
  private static func sums(of products: ArraySlice<Product>) -> [(other: Int32, weight: Double)] {
    var sums: [(other: Int32, weight: Double)] = []
    for product in products.sorted(by: { ($0.other, $0.item) < ($1.other, $1.item) }) {
      if let last = sums.last, last.other == product.other {
        sums[sums.count - 1].weight += Double(product.value)
      } else {
        sums.append((product.other, Double(product.value)))
      }
    }
    return sums
  }
}
