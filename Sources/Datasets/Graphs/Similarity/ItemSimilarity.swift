import Tensors

/// The cosine similarity of items in one modality: S = Ŝ Ŝᵀ with rows of length 1. S is never
/// stored as a whole.
struct ItemSimilarity {
  let rows: FeatureRows

  init(_ features: FeatureMatrix) { rows = FeatureRows(features) }

  /// The similarities of each item with its `count` nearest, `[I, I]`. Items without the modality
  /// have no edges, neither to others nor from them.
  ///
  /// - Parameter progress: receives the share that is found.
  func toNearest(_ count: Int, progress: (Double) -> Void) -> SparseMatrix {
    var nearest = CompressedRows(columns: rows.rowCount)
    let items = rows.features.presentItems
    let searched =
      items.count == rows.rowCount ? rows : FeatureRows(rows.features.selecting(items))
    var row = 0
    func skip(to end: Int) {
      while row < end {
        nearest.endRow()
        row += 1
      }
    }
    if !items.isEmpty {
      SimilaritySearch([searched]).run(
        queryCount: items.count, count: { _ in count }, focus: { $0.focus(on: $1) },
        progress: progress,
        visit: { query, matches in
          skip(to: Int(items[query]))
          for match in matches.sorted(by: { $0.item < $1.item }) {
            nearest.append(items[Int(match.item)], match.similarity)
          }
          skip(to: Int(items[query]) + 1)
        })
    }
    skip(to: rows.rowCount)
    return nearest.matrix()
  }

  /// The similarities of each item with given neighbours, `[I, I]`; none from or to items without
  /// the modality.
  func toNeighbours(_ lists: NeighbourLists) -> SparseMatrix {
    let probe = FeatureProbe(rows)
    var nearest = CompressedRows(columns: rows.rowCount)
    for item in 0..<rows.rowCount {
      probe.focus(on: item)
      let hasModality = rows.features.isPresent(item)
      for neighbour in lists[item].sorted()
      where hasModality && rows.features.isPresent(Int(neighbour)) {
        nearest.append(neighbour, Float(probe.cosine(with: Int(neighbour))))
      }
      nearest.endRow()
    }
    return nearest.matrix()
  }

  /// Each entry of a matrix `[I, I]` times the similarity of its two items.
  func scaling(_ matrix: SparseMatrix) -> SparseMatrix {
    let probe = FeatureProbe(rows)
    var scaled = CompressedRows(columns: matrix.columns)
    for item in 0..<matrix.rows {
      probe.focus(on: item)
      for entry in matrix.entries(ofRow: item) {
        let other = matrix.indices[entry]
        scaled.append(
          other, Float(Double(matrix.values[entry]) * probe.cosine(with: Int(other))))
      }
      scaled.endRow()
    }
    return scaled.matrix()
  }
}
