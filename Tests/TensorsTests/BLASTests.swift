import Tensors
import TestSupport
import Testing

@Suite struct BLASTests {
  @Test(
    "products of transposed blocks agree with plain loops",
    arguments: [(1, 1, 1), (3, 5, 2), (17, 9, 33)])
  func multiply(m: Int, n: Int, k: Int) {
    for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
      let a = transposeA ? randomMatrix(k, m, seed: 1) : randomMatrix(m, k, seed: 1)
      let b = transposeB ? randomMatrix(n, k, seed: 2) : randomMatrix(k, n, seed: 2)
      let c = randomMatrix(m, n, seed: 3)
      var expected: [Float] = []
      for row in 0..<m {
        for column in 0..<n {
          var sum = 0.0
          for inner in 0..<k {
            sum +=
              Double(transposeA ? a[inner, row] : a[row, inner])
              * Double(transposeB ? b[column, inner] : b[inner, column])
          }
          expected.append(Float(2 * sum + 0.5 * Double(c[row, column])))
        }
      }
      BLAS.multiply(
        .init(a), transposeA: transposeA, .init(b), transposeB: transposeB, into: .init(c),
        alpha: 2, beta: 0.5)
      #expect(relativeDifference(c.elements, expected) < 1e-5)
    }
  }

  @Test("a scaled sum is rounded once in every element", arguments: [0, 1, 15, 16, 64, 131])
  func accumulate(count: Int) {
    let (x, y) = (randomMatrix(1, count, seed: 1), randomMatrix(1, count, seed: 2))
    let scale: Float = 1.1
    withExtendedLifetime((x, y)) {
      let expected = zip(x.elements, y.elements).map { $1.addingProduct(scale, $0) }
      BLAS.accumulate(x.pointer, scaledBy: scale, into: y.pointer, count: count)
      #expect(Array(y.elements) == expected)
    }
  }
}

@Suite struct AdjacencyListTests {
  @Test("pairs in any order become sorted rows without repeats")
  func sorted() {
    let list = AdjacencyList(
      rowCount: 4, columnCount: 5, pairs: [(3, 1), (0, 4), (0, 2), (3, 1), (0, 4), (2, 0)])
    #expect(Array(list[0]) == [2, 4])
    #expect(Array(list[1]) == [])
    #expect(Array(list[2]) == [0])
    #expect(Array(list[3]) == [1])
    #expect(list.contains(row: 0, column: 4) && !list.contains(row: 0, column: 3))
    #expect(!list.contains(row: 1, column: 0))
    #expect(list.degree(0) == 2)
  }
}
