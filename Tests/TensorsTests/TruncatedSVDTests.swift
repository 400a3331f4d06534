import Tensors
import TestSupport
import Testing

@Suite struct TruncatedSVDTests {
  /// About half of the elements of a random matrix.
  private static func sparse(_ rows: Int, _ columns: Int, seed: UInt64) -> SparseMatrix {
    let random = CounterRandom(seed: seed, stream: .sample)
    var entries: [(row: Int32, column: Int32, value: Float)] = []
    for row in 0..<rows {
      for column in 0..<columns where random.uniform(id: row, index: column) < 0.5 {
        entries.append(
          (Int32(row), Int32(column), random.uniform(id: row, index: 1000 + column) - 0.3))
      }
    }
    return SparseMatrix(rows: rows, columns: columns, entries: entries)
  }

  private static func dense(_ matrix: SparseMatrix) -> [Double] {
    var elements = [Double](repeating: 0, count: matrix.rows * matrix.columns)
    for row in 0..<matrix.rows {
      for entry in matrix.entries(ofRow: row) {
        elements[row * matrix.columns + Int(matrix.indices[entry])] = Double(matrix.values[entry])
      }
    }
    return elements
  }

  private func expectOrthonormal(_ vectors: [Double], count: Int) {
    let length = vectors.count / count
    for first in 0..<count {
      for second in 0..<count {
        let product = (0..<length).reduce(0) {
          $0 + vectors[first * length + $1] * vectors[second * length + $1]
        }
        #expect(abs(product - (first == second ? 1 : 0)) < 1e-9)
      }
    }
  }

  @Test(
    "the largest singular values and orthonormal vectors that the matrix maps to each other",
    arguments: [(90, 70), (40, 110), (9, 5), (1, 4), (3, 1)])
  func decomposition(rows: Int, columns: Int) throws {
    let matrix = Self.sparse(rows, columns, seed: 7)
    let rank = min(6, rows, columns)
    let parts = try #require(TruncatedSVD(matrix, rank: 6))
    #expect(parts.values.count == rank)
    #expect(parts.left.count == rank * rows && parts.right.count == rank * columns)
    let dense = Self.dense(matrix)
    var gram = [Double](repeating: 0, count: columns * columns)
    for row in 0..<rows {
      for first in 0..<columns {
        for second in 0..<columns {
          gram[first * columns + second] +=
            dense[row * columns + first] * dense[row * columns + second]
        }
      }
    }
    let expected = try #require(SymmetricEigenproblem(gram, count: columns)).values
    for index in 0..<rank {
      #expect(abs(parts.values[index] - max(0, expected[index]).squareRoot()) < 1e-7)
    }
    expectOrthonormal(parts.left, count: rank)
    expectOrthonormal(parts.right, count: rank)
    for index in 0..<rank {
      for row in 0..<rows {
        let image = (0..<columns).reduce(0) {
          $0 + dense[row * columns + $1] * parts.right[index * columns + $1]
        }
        #expect(abs(image - parts.values[index] * parts.left[index * rows + row]) < 1e-7)
      }
      let narrow = rows >= columns ? parts.right : parts.left
      let length = narrow.count / rank
      let vector = narrow[index * length..<(index + 1) * length]
      #expect(vector.max { abs($0) < abs($1) } ?? -1 > 0)
    }
  }

  @Test("equal singular values: all of them, and the bits of a second time and of other lanes")
  func equalValues() throws {
    // Forty parts without connection, each 0.5 in a square of two.
    var entries: [(row: Int32, column: Int32, value: Float)] = []
    for row in 0..<Int32(80) {
      let even = row / 2 * 2
      entries.append((row, even, 0.5))
      entries.append((row, even + 1, 0.5))
    }
    let matrix = SparseMatrix(rows: 80, columns: 80, entries: entries)
    let parts = try #require(TruncatedSVD(matrix, rank: 12))
    #expect(parts.values.allSatisfy { abs($0 - 1) < 1e-9 })
    expectOrthonormal(parts.right, count: 12)
    let again = try #require(
      Lanes.$ofScope.withValue(Lanes(count: 3)) { TruncatedSVD(matrix, rank: 12) })
    #expect(again.left == parts.left && again.right == parts.right)
    #expect(again.values == parts.values)
  }

  @Test("eigenvalues that are equal but for rounding end, in their space")
  func clusters() throws {
    // More parts than are iterated: a part of n by n has one singular value, 1 up to its rounding.
    var entries: [(row: Int32, column: Int32, value: Float)] = []
    var start: Int32 = 0
    for part in 0..<60 {
      let size = Int32(2 + part % 5)
      for row in start..<start + size {
        for column in start..<start + size {
          entries.append((row, column, Float(1 / (Double(size) + 1e-7 * Double(part)))))
        }
      }
      start += size
    }
    let matrix = SparseMatrix(rows: Int(start), columns: Int(start), entries: entries)
    let parts = try #require(TruncatedSVD(matrix, rank: 10))
    #expect(parts.values.allSatisfy { abs($0 - 1) < 1e-5 })
    expectOrthonormal(parts.right, count: 10)
  }

  @Test("beyond the rank of the matrix, values and left vectors are zero")
  func lowRank() throws {
    var entries: [(row: Int32, column: Int32, value: Float)] = []
    for row in 0..<Int32(30) {
      for column in 0..<Int32(20) { entries.append((row, column, Float((row + 1) * (column + 1)))) }
    }
    let parts = try #require(
      TruncatedSVD(SparseMatrix(rows: 30, columns: 20, entries: entries), rank: 3))
    // ‖(1 … 30)‖ ‖(1 … 20)‖
    #expect(abs(parts.values[0] / (9455.0 * 2870).squareRoot() - 1) < 1e-9)
    #expect(parts.values.dropFirst().allSatisfy { $0 < 1e-3 })
    #expect(parts.left[30...].allSatisfy { $0 == 0 })
  }

  @Test("no matrix and numbers that are not finite have no decomposition")
  func refused() {
    #expect(TruncatedSVD(SparseMatrix(rows: 0, columns: 3, entries: []), rank: 2) == nil)
    #expect(
      TruncatedSVD(SparseMatrix(rows: 2, columns: 2, entries: [(0, 1, .infinity)]), rank: 1)
        == nil)
  }
}
