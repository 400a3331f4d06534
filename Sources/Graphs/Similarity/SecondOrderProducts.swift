internal import Tensors

/// SOIL's second-order weights: see ``GraphStore/secondOrder(extra:)``.
enum SecondOrderProducts {
  private typealias Product = (value: Float, item: Int32, other: Int32)

  /// Y `[U, I]`.
  ///
  /// How deep an item's list is needed depends on its users, the list does not: each item's list is
  /// made once, for the user who needs most of it, and users merge the lists of their items.
  static func build(
    train: AdjacencyList, similarities: [ItemSimilarity], extra: Int
  ) -> SparseMatrix {
    let depth = { (user: Int) in min(train.degree(user) + extra, train.columnCount) }
    let usersOfItems = train.transposed
    var lists: [[SimilaritySearch.Match]] = Array(repeating: [], count: train.columnCount)
    SimilaritySearch(similarities.map(\.rows)).run(
      queryCount: train.columnCount,
      count: { item in usersOfItems[item].map { depth(Int($0)) }.max() ?? 0 },
      focus: { $0.focus(on: $1) },
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
