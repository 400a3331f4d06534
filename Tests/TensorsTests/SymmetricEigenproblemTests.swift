import Tensors
import Testing

@Suite struct SymmetricEigenproblemTests {
  @Test("eigenvalues descend, and eigenvectors are orthonormal and give the matrix back")
  func decomposition() throws {
    let n = 7
    var matrix = [Double](repeating: 0, count: n * n)
    let random = CounterRandom(seed: 3, stream: .sample)
    for row in 0..<n {
      for column in 0...row {
        let value = Double(random.uniform(id: row, index: column)) - 0.5
        (matrix[row * n + column], matrix[column * n + row]) = (value, value)
      }
    }
    let problem = try #require(SymmetricEigenproblem(matrix, count: n))
    #expect(zip(problem.values, problem.values.dropFirst()).allSatisfy { $0 >= $1 })
    func component(_ vector: Int, _ index: Int) -> Double { problem.vectors[vector * n + index] }
    for first in 0..<n {
      for second in 0..<n {
        let product = (0..<n).reduce(0) { $0 + component(first, $1) * component(second, $1) }
        #expect(abs(product - (first == second ? 1 : 0)) < 1e-12)
        let rebuilt = (0..<n).reduce(0) {
          $0 + problem.values[$1] * component($1, first) * component($1, second)
        }
        #expect(abs(rebuilt - matrix[first * n + second]) < 1e-12)
      }
      let vector = (0..<n).map { component(first, $0) }
      #expect(vector.max { abs($0) < abs($1) } ?? -1 > 0)
    }
  }

  @Test("a known matrix has its known solution; numbers that are not finite have none")
  func known() throws {
    let problem = try #require(SymmetricEigenproblem([2, 1, 1, 2], count: 2))
    #expect(zip(problem.values, [3, 1]).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(abs(problem.vectors[0] - 0.5.squareRoot()) < 1e-14)
    #expect(SymmetricEigenproblem([.nan, 0, 0, 1], count: 2) == nil)
  }
}
