import Tensors

extension FeatureMatrix {
  /// The cosines of each row with its `count` nearest rows, `[rows, rows]`, itself included.
  ///
  /// Rows without the modality have no entries, neither in their row nor in their column. Of equal
  /// cosines the smaller row comes first. A row of zeros has cosine 0 with every row.
  public func nearestRows(count: Int) -> SparseMatrix {
    precondition(count > 0, "\(count) nearest rows")
    return ItemSimilarity(self).toNearest(count) { _ in }
  }
}
