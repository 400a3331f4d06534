import Tables
import Tensors
import Testing

@Suite("Initial values")
struct InitializerTests {
  private func values(
    _ initializer: Initializer, rows: Int, width: Int, table: String = "item", seed: UInt64 = 1
  ) -> [Float] {
    var result: [Float] = []
    for row in 0..<rows {
      result += [Float](unsafeUninitializedCapacity: width) { buffer, count in
        buffer.initialize(repeating: .nan)
        initializer.fill(
          UnsafeMutableBufferPointer(rebasing: buffer[..<width]), table: table, row: row, seed: seed
        )
        count = width
      }
    }
    return result
  }

  private func mean(_ values: [Float]) -> Double {
    values.reduce(0) { $0 + Double($1) } / Double(values.count)
  }

  private func standardDeviation(_ values: [Float]) -> Double {
    let mean = mean(values)
    return
      (values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      / Double(values.count)).squareRoot()
  }

  @Test("constant fills every number, pushed begins with zeros")
  func constant() {
    #expect(values(.constant(2.5), rows: 3, width: 5) == Array(repeating: 2.5, count: 15))
    #expect(values(.pushed, rows: 3, width: 5) == Array(repeating: 0, count: 15))
  }

  @Test(
    "uniform stays in its bounds, uses them, and has a uniform's moments", arguments: [1, 3, 64])
  func uniform(width: Int) {
    let sample = values(.uniform(bound: 0.5), rows: 60_000 / width, width: width)
    #expect(sample.allSatisfy { abs($0) <= 0.5 })
    #expect((sample.max() ?? 0) > 0.495 && (sample.min() ?? 0) < -0.495)
    #expect(abs(mean(sample)) < 0.006)  // 5 standard errors
    #expect(abs(standardDeviation(sample) - 1 / 12.0.squareRoot()) < 0.004)
  }

  @Test("normal has mean 0 and the given standard deviation", arguments: [1, 6, 64])
  func normal(width: Int) {
    let sample = values(.normal(standardDeviation: 0.1), rows: 60_000 / width, width: width)
    #expect(abs(mean(sample)) < 0.0021)
    #expect(abs(standardDeviation(sample) - 0.1) < 0.0015)
    let beyondTwo = Double(sample.count { abs($0) > 0.2 }) / Double(sample.count)
    #expect(abs(beyondTwo - 0.0455) < 0.005)
  }

  @Test("Xavier and linear bounds follow their formulas")
  func formulas() {
    #expect(Initializer.xavierUniform(rows: 100, columns: 50) == .uniform(bound: 0.2))
    guard case .normal(let deviation) = Initializer.xavierNormal(rows: 4, columns: 4) else {
      Issue.record("not normal")
      return
    }
    #expect(deviation == 0.5)
    #expect(Initializer.linear(inputs: 16) == .uniform(bound: 0.25))
  }

  @Test("values depend only on seed, table and row")
  func dependence() {
    let initializer = Initializer.uniform(bound: 1)
    let rows = values(initializer, rows: 4, width: 8)
    #expect(rows == values(initializer, rows: 4, width: 8))
    #expect(rows != values(initializer, rows: 4, width: 8, seed: 2))
    #expect(rows != values(initializer, rows: 4, width: 8, table: "user"))
    #expect(Array(rows[0..<8]) != Array(rows[8..<16]))
  }
}
