import Datasets
import Tensors

/// The literal definitions of the graphs: dense, in double precision and slow.
enum PlainGraphs {
  /// S `[I, I]`.
  static func cosines(_ features: FeatureMatrix) -> Dense {
    let matrix = Matrix(rows: features.rows, columns: features.columns)
    features.gather((0..<Int32(features.rows)).map { $0 }, into: matrix.pointer)
    let rows = (0..<matrix.rows).map { matrix.row($0).map { Double($0) } }
    let lengths = rows.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return Dense(matrix.rows, matrix.rows) { i, j in
      zip(rows[i], rows[j]).reduce(0) { $0 + $1.0 * $1.1 } / (lengths[i] * lengths[j])
    }
  }

  /// Columns of a row's `count` largest values; of values equal in single precision, the smaller.
  static func largestColumns(_ matrix: Dense, row: Int, count: Int) -> [Int] {
    let columns = (0..<matrix.columns).sorted { first, second in
      (Float(matrix[row, second]), first) < (Float(matrix[row, first]), second)
    }
    return Array(columns.prefix(count))
  }

  /// Only the `count` largest values of each row.
  static func largest(of matrix: Dense, count: Int) -> Dense {
    var result = Dense(matrix.rows, matrix.columns)
    for row in 0..<matrix.rows {
      for column in largestColumns(matrix, row: row, count: count) {
        result[row, column] = matrix[row, column]
      }
    }
    return result
  }

  static func rowSums(_ matrix: Dense) -> [Double] {
    (0..<matrix.rows).map { row in (0..<matrix.columns).reduce(0) { $0 + matrix[row, $1] } }
  }

  /// Values over the roots of both row sums; 0 where one is 0 or less; other values that exist at
  /// least `smallest`.
  static func normalizedByRowSums(_ matrix: Dense, raisingTo smallest: Double? = nil) -> Dense {
    let sums = rowSums(matrix)
    return Dense(matrix.rows, matrix.columns) { row, column in
      guard matrix[row, column] != 0 else { return 0 }
      let value =
        sums[row] > 0 && sums[column] > 0
        ? matrix[row, column] / (sums[row] * sums[column]).squareRoot() : 0
      return smallest.map { max($0, value) } ?? value
    }
  }

  /// The largest magnitude, at least 1: the scale of absolute tolerances.
  static func scale(of matrix: Dense) -> Double {
    (0..<matrix.rows * matrix.columns).reduce(1) { largest, place in
      max(largest, abs(matrix[place / matrix.columns, place % matrix.columns]))
    }
  }

  /// J_m `[I, I]` of every modality.
  static func interests(_ data: Dataset, count: Int) -> [Dense] {
    let similarities = data.features.map { cosines($0) }
    var interests = similarities.map { Dense($0.rows, $0.columns) }
    for user in 0..<data.userCount {
      let own = data.train[user].map { Int($0) }
      guard !own.isEmpty else { continue }
      var likely: Set<Int> = []
      for similarity in similarities {
        let scores = Dense(1, data.itemCount) { _, item in
          own.reduce(0) { $0 + similarity[$1, item] }
        }
        likely.formUnion(largestColumns(scores, row: 0, count: count))
      }
      for (modality, similarity) in similarities.enumerated() {
        for item in own {
          for other in likely { interests[modality][item, other] += similarity[item, other] }
        }
      }
    }
    return interests
  }

  /// Y `[U, I]`.
  static func secondOrder(_ data: Dataset, extra: Int) -> Dense {
    let similarities = data.features.map { cosines($0) }
    let products = Dense(data.itemCount, data.itemCount) { i, j in
      similarities.reduce(1) { $0 * $1[i, j] }
    }
    var weights = Dense(data.userCount, data.itemCount)
    for user in 0..<data.userCount {
      let own = data.train[user].map { Int($0) }
      let places = own.flatMap { item in (0..<data.itemCount).map { (item, $0) } }
      let ranked = places.sorted { first, second in
        (Float(products[second.0, second.1]), first.0, first.1)
          < (Float(products[first.0, first.1]), second.0, second.1)
      }
      for (item, other) in ranked.prefix(min(own.count + extra, data.itemCount)) {
        weights[user, other] += products[item, other]
      }
    }
    return weights
  }
}
