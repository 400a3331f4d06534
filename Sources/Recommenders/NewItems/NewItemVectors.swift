import Datasets
import Tensors

/// How a model gets the final vectors of items that came after its training from their features.
public enum NewItemVectors: Sendable {
  /// They are computed from tables of the backbone, all rows of them.
  case computed(
    tables: [Int],
    compute: @Sendable (_ features: [FeatureMatrix], _ parameters: [Matrix]) -> Matrix)
  /// Each is the mean of the final vectors of the `count` items with training interactions that are
  /// most similar, by the cosine of their features averaged over the modalities; that of a modality
  /// which one of the two lacks is 0. The vector of an item without any features is 0.
  ///
  /// For models that propagate over a graph of similar items: a new item joins the graph with edges
  /// to its neighbours. Deviation: the whole final vectors of the neighbours are averaged, not the
  /// propagated part alone, and all modalities weigh the same.
  case neighbours(count: Int)
}

/// The items that new ones can be neighbours of.
package struct TrainedItems {
  let features: [FeatureMatrix]
  let vectors: Matrix
  /// Ascending ids of items without training interactions, which have no vectors worth an average.
  let untrained: [Int32]

  /// - Parameters:
  ///   - features: of all items of the data set, as the model reads them.
  ///   - vectors: final vectors, `[I, D]`.
  ///   - trainingCounts: the training interactions of each item.
  package init(features: [FeatureMatrix], vectors: Matrix, trainingCounts: [Int]) {
    self.features = features
    self.vectors = vectors
    untrained = trainingCounts.indices.filter { trainingCounts[$0] == 0 }.map { Int32($0) }
  }

  /// The mean vectors of the nearest items, `[new.rows, D]`.
  ///
  /// - Precondition: the modalities and their widths are those of the trained items.
  func meanOfNeighbours(of new: [FeatureMatrix], count: Int) throws -> Matrix {
    let newCount = new.first?.rows ?? 0
    let all = features.unitRows(Array(0..<Int32(vectors.rows)), clearsMissing: true)
    let search = BlockRecommender(items: all, count: count)
    let result = Matrix(rows: newCount, columns: vectors.columns)
    let size = BlockRecommender.blockSize
    let excluded = ReadOnlyArray(untrained)
    for start in stride(from: 0, to: newCount, by: size) {
      let block = start..<min(start + size, newCount)
      let rows = new.unitRows(block.map { Int32($0) }, clearsMissing: true)
      let nearest = try search.top(
        for: rows, excluding: block.map { _ in excluded },
        subject: { "new item \(start + $0)" })
      // Of an item without features all are equally near, and the first would be taken.
      for (position, neighbours) in zip(block, nearest)
      where rows.row(position - start).contains(where: { $0 != 0 }) {
        let share = 1 / Float(max(1, neighbours.count))
        for neighbour in neighbours {
          for column in 0..<vectors.columns {
            result[position, column] += share * vectors[neighbour.item, column]
          }
        }
      }
    }
    return result
  }
}

extension NewItemVectors {
  /// The tables of the backbone that are read.
  package var tables: [Int] {
    if case .computed(let tables, _) = self { tables } else { [] }
  }

  /// The final vectors of new items, `[new.rows, D]`.
  ///
  /// - Parameters:
  ///   - new: the features, with the modalities and widths of the trained items.
  ///   - parameters: those of ``tables``, and matrices of no rows for other tables.
  package func vectors(
    of new: [FeatureMatrix], parameters: [Matrix], trained: TrainedItems
  ) throws -> Matrix {
    switch self {
    case .computed(_, let compute): compute(new, parameters)
    case .neighbours(let count): try trained.meanOfNeighbours(of: new, count: count)
    }
  }
}
