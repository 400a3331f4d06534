import Tensors
import Testing

@Suite struct SparseMatrixBlockTests {
  @Test("a block has the entries inside, at their places within it")
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
