import Tensors

/// The graph of PGL, which keeps the strongest directions of the interactions.
extension GraphStore {
  /// Smaller entries, in magnitude, are left out of the principal graph.
  static let smallestPrincipalEntry = 1e-3

  /// The principal graph `[N, N]`: P above the diagonal and its transpose below, where
  ///
  ///     P = Σ_{k = 1 … r/4} σ_k σ_{r − r/4 + k} u_k v_kᵀ
  ///
  /// over the r largest singular values of R̂ (guarded degrees), without entries below 1e-3. It has
  /// negative entries, and at most 10⁶ · Σ (σ_k σ_{r−r/4+k})² ≤ 2.5 · 10⁵ r of them above the
  /// diagonal.
  ///
  /// The reference decomposes Â instead. Each singular value of R̂ is twice one of Â, and their
  /// pairs of vectors add up to the two blocks: 2r of Â are r of R̂, whatever basis a solver finds,
  /// and no sign is free. Only where R̂ itself has equal singular values (ones, as many as the
  /// interactions have unconnected parts) are its vectors a choice, which is the same in every
  /// process here. With more parts than r/4 the graph says little: it is for connected data.
  ///
  /// - Parameter rank: r; more than there are users or items means as many as those.
  /// - Throws: ``GraphError`` if the decomposition fails.
  /// - Source: Yu et al. 2025, AAAI, as in demonph10/PGL dbc871c (`global_subgraph_extraction`).
  public func principalAdjacency(rank: Int) throws -> SparseMatrix {
    try cache.kept("principal-adjacency-r\(rank)") { () throws(GraphError) in
      let userItem = try principalUserItem(rank: rank)
      return SparseMatrix(userToItem: userItem, itemToUser: userItem.transposed)
    }
  }

  /// P `[U, I]`.
  private func principalUserItem(rank: Int) throws(GraphError) -> SparseMatrix {
    precondition(rank > 0, "\(rank) singular values")
    let (users, items) = (dataset.userCount, dataset.itemCount)
    return try cache.stored("principal-r\(rank)", rows: users, columns: items) {
      progress throws(GraphError) in
      guard let parts = TruncatedSVD(userItem(.guarded), rank: rank) else {
        throw GraphError(
          description: "Cannot build the principal graph of data set '\(dataset.name)': the"
            + " singular value decomposition of its interactions failed. Choose subgraph local.")
      }
      return Self.principalEntries(parts, users: users, items: items, progress: progress)
    }
  }

  private static func principalEntries(
    _ parts: TruncatedSVD, users: Int, items: Int, progress: (Double) -> Void
  ) -> SparseMatrix {
    let rank = parts.values.count
    let kept = max(1, rank / 4)
    // u_k times its weight, and v_k, in rows.
    let weights = (0..<kept).map { parts.values[$0] * parts.values[rank - kept + $0] }
    let right = Array(parts.right[..<(kept * items)])
    var result = CompressedRows(columns: items)
    let blockSize = 64
    for start in stride(from: 0, to: users, by: blockSize) {
      let block = start..<min(start + blockSize, users)
      let left = weights.enumerated().flatMap { index, weight in
        block.map { weight * parts.left[index * users + $0] }
      }
      let products = BLAS.multiply(
        left, transposeA: true, right, rows: block.count, inner: kept, columns: items)
      products.withUnsafeBufferPointer { products in
        for row in 0..<block.count {
          for item in 0..<items {
            let value = products[row * items + item]
            if abs(value) >= smallestPrincipalEntry { result.append(Int32(item), Float(value)) }
          }
          result.endRow()
        }
      }
      progress(Double(block.upperBound) / Double(users))
    }
    return result.matrix()
  }
}
