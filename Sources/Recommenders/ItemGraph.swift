import Datasets
import Tensors

extension ModelInput {
  /// M, `[I, I]`: the weighted sum of the modalities' graphs of nearest items, in which every
  /// neighbour counts the same.
  ///
  /// - Parameters:
  ///   - first: the first modality's share; the others have equal parts of the rest.
  ///   - count: neighbours of an item, the item itself included.
  /// - Precondition: ``graphs`` is given, and its data set has the modalities.
  func mixedItemNeighbours(first: Float, count: Int) -> SparseMatrix {
    let weights = Self.modalityShares(modalityCount: features.count, first: first)
    return SparseMatrix.sum(
      features.indices.map { modality in
        (
          weights[modality],
          requiredItemNeighbours(modality: modality, count: count, weighting: .unweighted)
        )
      })
  }

  /// The modalities' shares of M: `first` (`mm_image_weight`) for the first, and the rest evenly
  /// for the others. A single modality has all of it.
  package static func modalityShares(modalityCount: Int, first: Float) -> [Float] {
    guard modalityCount > 1 else { return [1] }
    let other = (1 - first) / Float(modalityCount - 1)
    return [first] + Array(repeating: other, count: modalityCount - 1)
  }
}
