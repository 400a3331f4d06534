import Tensors
import TestSupport

/// A dense matrix in double precision, for the plain definitions.
struct Dense {
  let rows: Int
  let columns: Int
  private var elements: [Double]

  init(_ rows: Int, _ columns: Int, fill: (Int, Int) -> Double = { _, _ in 0 }) {
    self.rows = rows
    self.columns = columns
    elements = (0..<rows * columns).map { fill($0 / columns, $0 % columns) }
  }

  init(_ matrix: SparseMatrix) {
    self.init(matrix.rows, matrix.columns)
    for row in 0..<rows {
      for entry in matrix.entries(ofRow: row) {
        self[row, Int(matrix.indices[entry])] = Double(matrix.values[entry])
      }
    }
  }

  /// A stored sparse or dense array.
  init(_ golden: Golden, _ path: String) throws {
    if let rows = try? golden.integers("\(path)/row") {
      let shape = try golden.integers("\(path)/shape")
      self.init(Int(shape[0]), Int(shape[1]))
      let columns = try golden.integers("\(path)/col")
      for (index, value) in try golden.numbers("\(path)/val").enumerated() {
        self[Int(rows[index]), Int(columns[index])] = value
      }
    } else {
      let matrix = try golden.matrix(path)
      self.init(matrix.rows, matrix.columns) { Double(matrix[$0, $1]) }
    }
  }

  subscript(row: Int, column: Int) -> Double {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  /// The largest difference of two elements; infinite when shapes differ.
  func distance(to other: Dense) -> Double {
    guard rows == other.rows && columns == other.columns else { return .infinity }
    return zip(elements, other.elements).reduce(0) { largest, pair in
      let difference = abs(pair.0 - pair.1)
      return difference.isFinite ? max(largest, difference) : .infinity
    }
  }

  func map(_ transform: (Double) -> Double) -> Dense {
    Dense(rows, columns) { transform(self[$0, $1]) }
  }

  func plus(_ other: Dense) -> Dense { Dense(rows, columns) { self[$0, $1] + other[$0, $1] } }
}

extension SparseMatrix {
  /// Equal in shape, positions of the entries and every bit of the values.
  func isIdentical(to other: SparseMatrix) -> Bool {
    rows == other.rows && columns == other.columns && offsets == other.offsets
      && indices == other.indices
      && values.map(\.bitPattern) == other.values.map(\.bitPattern)
  }
}
