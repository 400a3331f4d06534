import Datasets
import Foundation
import Recommenders
import Tensors

/// Small data in memory on which the steps of a run are tried: users and items occur as often as in
/// the run's data, as far as there are so many, and features are random.
package enum ProbeData {
  /// - Parameters:
  ///   - counts: of the run's data.
  ///   - modalities: the features of an item.
  /// - Throws: `DatasetError` if there are too few items to draw negatives from.
  package static func dataset(
    users: Int, items: Int, like counts: InteractionCounts, modalities: [ModalitySize],
    seed: UInt64
  ) throws -> Dataset {
    let degrees = quantiles(counts.users, count: users)
    let popularity = Cumulative(quantiles(counts.items, count: items))
    let random = CounterRandom(seed: seed, stream: .sample)
    var train: [(user: Int32, item: Int32)] = []
    var valid: [(user: Int32, item: Int32)] = []
    train.reserveCapacity(Int(degrees.reduce(0, +)))
    for user in 0..<users {
      // Half of the items are left to draw negatives from, and one is for validation.
      let wanted = max(1, min(Int(degrees[user].rounded()), items / 2 - 1)) + 1
      var chosen: Set<Int32> = []
      var attempt = 0
      while chosen.count < wanted {
        let words = random.words(id: user, index: attempt)
        // A popular item may be drawn again and again; then any item will do.
        let item =
          attempt < 4 * wanted
          ? popularity.position(of: Double(words.x) * 0x1p-32)
          : Int(UInt64(words.y) * UInt64(items) >> 32)
        attempt += 1
        guard chosen.insert(Int32(item)).inserted else { continue }
        if chosen.count < wanted {
          train.append((Int32(user), Int32(item)))
        } else {
          valid.append((Int32(user), Int32(item)))
        }
      }
    }
    return try Dataset(
      name: "probe", interactions: Interactions(source: "probe", train: train, valid: valid),
      features: try modalities.map { modality in
        let matrix = Matrix(rows: items, columns: modality.columns)
        let random = CounterRandom(seed: seed, stream: .sample, step: modality.columns)
        for row in 0..<items { NormalDistribution.fill(matrix.row(row), random: random, id: row) }
        return try FeatureMatrix(name: modality.name, matrix: matrix)
      }, itemCount: items)
  }

  /// The degrees of some rows that are evenly spread over all, descending.
  private static func quantiles(_ groups: [InteractionCounts.Group], count: Int) -> [Double] {
    let descending = groups.sorted { $0.degree > $1.degree }
    let all = descending.reduce(0) { $0 + $1.count }
    var (group, before) = (0, 0.0)
    return (0..<count).map { index in
      let position = (Double(index) + 0.5) / Double(count) * all
      while group + 1 < descending.count, before + descending[group].count <= position {
        before += descending[group].count
        group += 1
      }
      return descending.isEmpty ? 1 : descending[group].degree
    }
  }
}

/// Draws positions in proportion to weights.
private struct Cumulative {
  private let sums: [Double]

  init(_ weights: [Double]) {
    var sum = 0.0
    sums = weights.map {
      sum += $0
      return sum
    }
  }

  /// - Parameter share: in `[0, 1)`.
  func position(of share: Double) -> Int {
    let wanted = share * (sums.last ?? 0)
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] <= wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
