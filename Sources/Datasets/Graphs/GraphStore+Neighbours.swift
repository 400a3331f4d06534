import Tensors

extension GraphStore {
  /// The graph of each item's `count` nearest items by the cosine of their features, `[I, I]`; an
  /// item is usually its own nearest. Directed: row i holds the neighbours of i.
  ///
  /// - An item whose features are all zero has similarity 0 with every item, itself included (the
  ///   reference gets NaN).
  /// - Of equal similarities the smaller item id comes first.
  /// - If the data set includes neighbours for this `count` (``NeighbourLists``), they are used;
  ///   weights still come from the features.
  ///
  /// - Parameter count: k; more than I means I.
  /// - Throws: ``GraphError`` if the data set has no such modality.
  public func itemNeighbours(
    modality: Int, count: Int, weighting: NeighbourWeighting
  ) throws -> SparseMatrix {
    try cache.kept("neighbours-\(weighting.rawValue)-m\(modality)-k\(count)") {
      () throws(GraphError) in
      let similarities = try neighbourSimilarities(modality: modality, count: count)
      switch weighting {
      case .unweighted: return similarities.replacingValues(by: 1).normalizedByRowSums(guard: 1e-7)
      case .weighted: return similarities.normalizedByRowSums()
      }
    }
  }

  /// The similarities s_ij of each item with its nearest, `[I, I]`.
  func neighbourSimilarities(modality: Int, count: Int) throws(GraphError) -> SparseMatrix {
    precondition(count > 0, "\(count) nearest items")
    let itemCount = dataset.itemCount
    let name = "neighbours-m\(modality)-k\(count)"
    return try cache.stored(name, rows: itemCount, columns: itemCount) {
      progress throws(GraphError) in
      let similarity = try similarity(modality: modality)
      let given = dataset.features[modality].neighbours.first { $0.count == count }
      if let given { return similarity.toNeighbours(given) }
      return similarity.toNearest(count, progress: progress)
    }
  }

  /// Ω `[U, U]`: for each user the softmax over the `count` users that share most training
  /// items with them, by the number of shared items. Rows sum to 1, or are empty for users who
  /// share none.
  ///
  /// Of equal numbers the smaller user id comes first (in the reference it is random).
  ///
  /// - Parameter count: K, at most ``UserNeighbours/longestList``; a greater number means that.
  public func userNeighbours(count: Int, padding: UserNeighbourPadding) -> SparseMatrix {
    switch padding {
    case .none:
      cache.kept("user-neighbours-k\(count)") {
        UserNeighbours(sharedItems: sharedItems(count: count)).weights()
      }
    case .urn(let seed, let epoch):
      cache.recent("user-neighbours-k\(count)-\(seed)-\(epoch)") {
        UserNeighbours(sharedItems: sharedItems(count: count))
          .paddedWeights(count: min(count, UserNeighbours.longestList), seed: seed, epoch: epoch)
      }
    }
  }

  /// How many training items each user shares with the users that share most, `[U, U]`.
  private func sharedItems(count: Int) -> SparseMatrix {
    precondition(count > 0, "\(count) nearest users")
    let longest = min(count, UserNeighbours.longestList)
    let users = dataset.userCount
    return cache.stored("shared-items-k\(longest)", rows: users, columns: users) {
      _ in UserNeighbours.sharedItems(dataset.train, count: longest)
    }
  }
}

/// The weights in a graph of nearest items.
public enum NeighbourWeighting: String, Sendable, CaseIterable {
  /// `1 / k`: the mean over the neighbours (FREEDOM).
  case unweighted
  /// `s_ij / √(δ_i δ_j)` with cosine similarities s and their row sums δ (MGCN, SOIL).
  case weighted
}

/// The treatment of users with fewer than K neighbours.
public enum UserNeighbourPadding: Sendable, Equatable {
  /// They keep the neighbours they have: nothing is drawn, and all epochs have the same graph.
  case none
  /// Neighbours are repeated until there are K, drawn from the list as it grows (a Pólya urn),
  /// again in every epoch: what the reference implementation of DualGNN does.
  case urn(seed: UInt64, epoch: Int)
}
