import Tensors

extension GraphStore {
  /// R̂ `[U, I]`: `1 / √(d_u d_i)` for every training interaction.
  public func userItem(_ normalization: GraphNormalization) -> SparseMatrix {
    cache.kept("user-item-\(normalization.rawValue)") {
      SparseMatrix(ones: dataset.train).normalized(addingToDegrees: normalization.addend)
    }
  }

  /// Â `[N, N]`: R̂ above the diagonal and its transpose below.
  public func adjacency(_ normalization: GraphNormalization) -> SparseMatrix {
    cache.kept("adjacency-\(normalization.rawValue)") {
      let userItem = userItem(normalization)
      return SparseMatrix(userToItem: userItem, itemToUser: userItem.transposed)
    }
  }

  /// D⁻¹A `[N, N]`: the mean over a node's neighbours; nodes without any have empty rows.
  public func meanAdjacency() -> SparseMatrix {
    cache.kept("mean-adjacency") {
      let ones = SparseMatrix(ones: dataset.train)
      return SparseMatrix(
        userToItem: ones.averagingRows(), itemToUser: ones.transposed.averagingRows())
    }
  }

  /// D⁻¹(A + 1) `[N, N]`, where D counts a node itself too: the mean over a node and its
  /// neighbours, as in LATTICE.
  public func meanAdjacencyWithLoops() -> SparseMatrix {
    cache.kept("mean-adjacency-loops") {
      let ones = SparseMatrix(ones: dataset.train)
      let adjacency = SparseMatrix(userToItem: ones, itemToUser: ones.transposed)
      let loops = SparseMatrix(
        rows: adjacency.rows, columns: adjacency.rows,
        offsets: (0...adjacency.rows).map { Int64($0) },
        indices: (0..<adjacency.rows).map { Int32($0) },
        values: [Float](repeating: 1, count: adjacency.rows))
      return SparseMatrix.sum([(weight: 1, matrix: adjacency), (weight: 1, matrix: loops)])
        .averagingRows()
    }
  }

  /// FREEDOM's Ã `[N, N]`: a sample of the training interactions, normalised by the degrees within
  /// the sample + 1e-7. The same in every process for the same seed and epoch.
  ///
  /// - Parameter dropout: ρ, the share of interactions to leave out (see ``InteractionSampling``).
  /// - Precondition: `0 <= dropout < 1`.
  public func sampledAdjacency(dropout: Double, seed: UInt64, epoch: Int) -> SparseMatrix {
    cache.recent("sampled-\(dropout)-\(seed)-\(epoch)") {
      let sampling = InteractionSampling(dataset.train)
      return sampling.adjacency(
        keeping: sampling.draw(dropout: dropout, seed: seed, epoch: epoch))
    }
  }
}

/// The degrees in `1 / √(d_u · d_i)`.
public enum GraphNormalization: String, Sendable, CaseIterable {
  /// Degrees + 1e-7 against division by zero, as in LightGCN and FREEDOM.
  case guarded
  /// Plain degrees, as in MGCN, SOIL and DualGNN.
  case exact

  /// What is added to each degree.
  var addend: Double { self == .guarded ? 1e-7 : 0 }
}
