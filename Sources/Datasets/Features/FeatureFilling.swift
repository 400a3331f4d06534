import Tensors

/// The rows that items without a modality receive, from those of the items that have it.
///
/// Sums are in double precision and in the order of the items, so that they are the same on all
/// machines.
struct FeatureFilling {
  let feature: FeatureMatrix
  /// The item whose row each item has, `[I]`.
  let origins: [Int32]
  /// Which items have the modality, `[I]`.
  let isPresent: [Bool]
  /// The items that have it, ascending.
  let present: [Int]

  /// The mean row, `[1, columns]`; zeros if no item has the modality.
  func mean() -> Matrix {
    let result = Matrix(rows: 1, columns: feature.columns)
    writeMean(of: present, to: result.pointer)
    return result
  }

  /// For each item the mean row of its neighbours, `[items, columns]`: of those that have the
  /// modality, the ``FeatureTreatment/neighbourCount`` that most users have in training together
  /// with the item; of equal numbers the smaller item ids. Items without any get the mean row.
  ///
  /// - Parameter train: the training interactions, `[U, I]`. Held-out ones are not looked at.
  func neighbourMeans(of items: [Int], train: AdjacencyList) -> Matrix {
    guard !items.isEmpty else { return Matrix(rows: 1, columns: feature.columns) }
    let result = Matrix(rows: items.count, columns: feature.columns)
    let users = train.transposed
    let mean = mean()
    // Of the last item that was looked at; cleared by going through what was counted.
    var counts = [Int](repeating: 0, count: isPresent.count)
    for (row, item) in items.enumerated() {
      var found: [Int32] = []
      for user in users[item] {
        for other in train[Int(user)] where isPresent[Int(other)] {
          if counts[Int(other)] == 0 { found.append(other) }
          counts[Int(other)] += 1
        }
      }
      let nearest = found.sorted { (counts[Int($1)], $0) < (counts[Int($0)], $1) }
        .prefix(FeatureTreatment.neighbourCount)
      let target = result.pointer + row * feature.columns
      if nearest.isEmpty {
        target.update(from: mean.pointer, count: feature.columns)
      } else {
        writeMean(of: nearest.sorted().map { Int($0) }, to: target)
      }
      for other in found { counts[Int(other)] = 0 }
    }
    return result
  }

  private func writeMean(of items: [Int], to target: UnsafeMutablePointer<Float>) {
    guard !items.isEmpty else { return }
    let row = Matrix(rows: 1, columns: feature.columns)
    var sums = [Double](repeating: 0, count: feature.columns)
    for item in items {
      feature.copyRow(Int(origins[item]), to: row.pointer)
      for column in sums.indices { sums[column] += Double(row.pointer[column]) }
    }
    for column in sums.indices { target[column] = Float(sums[column] / Double(items.count)) }
  }
}
