import Tensors

extension GraphStore {
  /// Â by its rows: that of ``adjacency(_:)``, without its values in memory. With a folder for
  /// graphs its lists are in files.
  public func interactionGraph(_ normalization: GraphNormalization) -> InteractionGraph {
    InteractionGraph(
      items: dataset.train, users: cache.transpose(of: dataset.train),
      normalization: normalization)
  }

  /// FREEDOM's Ã by its rows: that of ``sampledAdjacency(dropout:seed:epoch:)``. Memory is in
  /// proportion to the interactions that are kept.
  ///
  /// - Precondition: `0 <= dropout < 1`.
  public func sampledInteractionGraph(
    dropout: Double, seed: UInt64, epoch: Int
  ) -> InteractionGraph {
    let sampling = InteractionSampling(dataset.train)
    let items = sampling.kept(sampling.draw(dropout: dropout, seed: seed, epoch: epoch))
    return InteractionGraph(items: items, users: items.transposed, normalization: .guarded)
  }
}

extension GraphCache {
  /// The training interactions with rows and columns exchanged: in a file of the folder, which is
  /// written first if it is missing, or in memory where there is no folder or it cannot be used.
  func transpose(of list: AdjacencyList) -> AdjacencyList {
    guard let (path, source) = place(of: "users-of-items", extension: "lists") else {
      return list.transposed
    }
    let file = TransposedFile(path: path, source: source)
    do {
      if let lists = try file.read(transposeOf: list) {
        report(.loaded(path: path))
        return lists
      }
    } catch {
      report(.refused(path: path, reason: error.message))
    }
    do {
      guard isCurrent() else { return list.transposed }
      try file.write(transposeOf: list)
      return try file.read(transposeOf: list) ?? list.transposed
    } catch {
      report(.notWritten(path: path, reason: error.message))
      return list.transposed
    }
  }
}
