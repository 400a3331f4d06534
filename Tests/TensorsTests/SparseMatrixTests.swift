import Tensors
import TestSupport
import Testing

@Suite struct SparseMatrixTests {
  private func random(_ rows: Int, _ columns: Int) -> SparseMatrix {
    let random = CounterRandom(seed: 4, stream: .generator)
    let entries = (0..<rows * 3).map { index in
      (
        row: Int32(random.integer(below: rows, id: index)),
        column: Int32(random.integer(below: columns, id: index, index: 1)),
        value: random.uniform(id: index, index: 2) - 0.5
      )
    }
    return SparseMatrix(rows: rows, columns: columns, entries: entries)
  }

  @Test("entries at the same position are added, rows are sorted")
  func entries() {
    let matrix = SparseMatrix(
      rows: 2, columns: 3, entries: [(1, 2, 1), (0, 1, 2), (1, 0, 3), (1, 2, 4)])
    #expect(matrix.offsets == [0, 1, 3])
    #expect(matrix.indices == [1, 0, 2])
    #expect(matrix.values == [2, 3, 5])
  }

  @Test("products agree with plain loops", arguments: [1, 7, 64, 65, 200])
  func multiply(width: Int) {
    let matrix = random(17, 11)
    let x = randomMatrix(11, width, seed: 3)
    let y = Matrix(rows: 17, columns: width)
    matrix.multiply(x, into: y)
    var expected = [Float](repeating: 0, count: 17 * width)
    for row in 0..<17 {
      for entry in matrix.entries(ofRow: row) {
        for column in 0..<width {
          expected[row * width + column] +=
            matrix.values[entry] * x[Int(matrix.indices[entry]), column]
        }
      }
    }
    #expect(relativeDifference(y.elements, expected) < 1e-6)
  }

  @Test("transposing twice gives the matrix back")
  func transposed() {
    let matrix = random(9, 13)
    let twice = matrix.transposed.transposed
    #expect(twice.offsets == matrix.offsets)
    #expect(twice.indices == matrix.indices)
    #expect(twice.values == matrix.values)
  }
}

@Suite struct SparseMatrixBlockTests {
  @Test("a block has the entries inside, at their positions within it")
  func block() {
    let matrix = SparseMatrix(
      rows: 4, columns: 5,
      entries: [(0, 1, 1), (1, 0, 2), (1, 2, 3), (1, 4, 4), (2, 3, 5), (3, 2, 6)])
    let block = matrix.block(rows: 1..<4, columns: 2..<4)
    #expect(block.rows == 3 && block.columns == 2)
    #expect(block.offsets == [0, 1, 2, 3])
    #expect(block.indices == [0, 1, 0])
    #expect(block.values == [3, 5, 6])
    #expect(matrix.block(rows: 0..<4, columns: 0..<5).values == matrix.values)
    #expect(matrix.block(rows: 2..<2, columns: 0..<5).offsets == [0])
  }
}

@Suite struct NonZeroRowsTests {
  @Test("rows with any element other than 0 are found, for every width around a vector's")
  func finds() {
    for width in [1, 3, 7, 8, 15, 16, 17, 64, 65] {
      let matrix = Matrix(rows: 9, columns: width)
      matrix[0, width - 1] = 1e-45
      matrix[2, 0] = -0.0
      matrix[4, width / 2] = .nan
      matrix[8, 0] = -3
      #expect(matrix.nonZeroRows == [0, 4, 8])
    }
    #expect(Matrix(rows: 0, columns: 4).nonZeroRows == [])
    #expect(Matrix(rows: 3, columns: 0).nonZeroRows == [])
  }
}
