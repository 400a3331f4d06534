extension BLAS {
  /// `c = alpha · op(a) · op(b) + beta · c`, where `op` transposes if asked to, on all lanes.
  ///
  /// The longer extent of `c` is cut, rows or columns, never the inner extent: sums need not be
  /// added, and each number of `c` is computed in one product. The cut depends on the shapes alone.
  ///
  /// - Precondition: the shapes agree.
  public static func multiply(
    _ a: Block, transposeA: Bool = false, _ b: Block, transposeB: Bool = false, into c: Block,
    alpha: Float = 1, beta: Float = 0
  ) {
    let inner = transposeA ? a.rows : a.columns
    let cut = ProductCut(rows: c.rows, columns: c.columns, inner: inner)
    guard cut.blockCount > 1 else {
      return multiplyWhole(
        a, transposeA: transposeA, b, transposeB: transposeB, into: c, alpha: alpha, beta: beta)
    }
    Lanes.current.forEach(cut.blockCount) { block, _ in
      let range = cut.range(block)
      if cut.cutsRows {
        multiplyWhole(
          transposeA ? a.columns(range) : a.rows(range), transposeA: transposeA, b,
          transposeB: transposeB, into: c.rows(range), alpha: alpha, beta: beta)
      } else {
        multiplyWhole(
          a, transposeA: transposeA, transposeB ? b.rows(range) : b.columns(range),
          transposeB: transposeB, into: c.columns(range), alpha: alpha, beta: beta)
      }
    }
  }
}

/// How a product is cut into blocks of its result.
///
/// OpenBLAS copies the factor that all blocks share once per block. Measured on products of a
/// training step, blocks of 256 cost up to 6 % more than the whole product and blocks of 512 up to
/// 3 %, so blocks are as large as an even division among lanes allows.
package struct ProductCut: Equatable {
  /// Multiplications that are worth a lane of their own: some tens of microseconds.
  private static let smallestWork = 1 << 21
  /// Rows or columns of a block, at most.
  private static let largestExtent = 512
  /// Extents are multiples of the width of the kernels' tiles.
  private static let alignment = 64

  /// Whether rows of the result are cut; else columns.
  package let cutsRows: Bool
  private let extent: Int
  private let size: Int

  /// - Parameters:
  ///   - rows: of the result.
  ///   - columns: of the result.
  ///   - inner: the extent that is summed over.
  package init(rows: Int, columns: Int, inner: Int) {
    cutsRows = rows >= columns
    extent = max(rows, columns)
    let perIndex = max(1, min(rows, columns) * max(1, inner))
    // Blocks in a multiple of four, so that two or four lanes have equally many.
    let worthwhile = extent / max(1, Self.smallestWork / perIndex)
    let fitting = (extent + Self.largestExtent - 1) / Self.largestExtent
    let wanted = min(worthwhile, (fitting + 3) / 4 * 4)
    let even = wanted < 2 ? extent : (extent + wanted - 1) / wanted
    size = max(Self.alignment, (even + Self.alignment - 1) / Self.alignment * Self.alignment)
  }

  package var blockCount: Int { (extent + size - 1) / size }

  /// The rows or columns of a block.
  package func range(_ block: Int) -> Range<Int> { block * size..<min(extent, (block + 1) * size) }
}
