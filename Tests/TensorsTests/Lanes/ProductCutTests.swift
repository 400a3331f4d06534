import Tensors
import Testing

@Suite("Products are cut by their shapes")
struct ProductCutTests {
  @Test("blocks cover the longer extent without gaps")
  func coverage() {
    for rows in [0, 1, 63, 64, 512, 513, 1700, 7050, 26_495] {
      for columns in [0, 1, 64, 384, 4096] {
        for inner in [0, 1, 64, 4096] {
          let cut = ProductCut(rows: rows, columns: columns, inner: inner)
          let ranges = (0..<cut.blockCount).map { cut.range($0) }
          let extent = cut.cutsRows ? rows : columns
          #expect(extent == max(rows, columns))
          #expect(ranges.reduce(0) { $1.lowerBound == $0 ? $1.upperBound : -1 } == extent)
          #expect(ranges.allSatisfy { !$0.isEmpty })
        }
      }
    }
  }

  @Test("small products are not cut, and those of a step are cut evenly")
  func sizes() {
    #expect(ProductCut(rows: 64, columns: 64, inner: 64).blockCount <= 1)
    #expect(ProductCut(rows: 1700, columns: 64, inner: 4096).blockCount == 4)
    let gradient = ProductCut(rows: 64, columns: 4096, inner: 1700)
    #expect(!gradient.cutsRows && gradient.blockCount == 8)
    #expect(ProductCut(rows: 7050, columns: 64, inner: 4096).blockCount == 16)
  }
}
