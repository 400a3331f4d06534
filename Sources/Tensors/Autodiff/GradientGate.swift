internal import CKernels

/// Keeps the gradient of auxiliary loss terms from overruling that of the main ones, tensor by
/// tensor.
///
/// For one tensor let g be the main gradient, a the auxiliary one, and ρ ``limit``:
///
///     a ← a − (⟨a, g⟩ / ‖g‖²) g     where ⟨a, g⟩ < 0
///     a ← a · ρ‖g‖ / ‖a‖            where ‖a‖ > ρ‖g‖
///     result: g + a
///
/// A step is never turned against the main terms, and the auxiliary part is at most ρ times as long
/// as the main one. With ρ = 0 or g = 0 the result is g, bit by bit; with ρ = ∞ conflicts are
/// removed and lengths kept.
///
/// - Numerics: sums and factors in `Double`, row by row in ascending order (in fixed ranges of
///   rows; see ``Lanes``), so that neither the number of lanes nor unwritten rows change a bit. The
///   result is rounded once.
/// - Source: the projection is that of PCGrad (Yu et al., NeurIPS 2020, arXiv:2001.06782), applied
///   to a only; the limit is that of MetaBalance (He et al., WWW 2022, arXiv:2203.06801), which
///   averages lengths over steps and also lengthens short gradients.
package struct GradientGate {
  /// ρ.
  package let limit: Double

  /// - Precondition: `limit >= 0`; may be infinite.
  package init(limit: Float) {
    precondition(limit >= 0, "a gate with limit \(limit)")
    self.limit = Double(limit)
  }

  /// What the gate does to one tensor: the result is `mainFactor · g + auxiliaryFactor · a`.
  package struct Decision: Equatable {
    package var mainFactor = 1.0
    package var auxiliaryFactor = 1.0
    /// Whether ⟨a, g⟩ < 0.
    package var isConflict = false

    package init() {}

    /// The factor by which a is shortened, after the projection.
    package var scale: Double { auxiliaryFactor }
  }

  /// Adds the gated auxiliary gradient to the main one, in place.
  ///
  /// - Parameters:
  ///   - main: g, `[rows, columns]`; overwritten by the result.
  ///   - auxiliary: a, of the same shape.
  ///   - rows: the rows in which either has elements other than 0, ascending and distinct; nil if
  ///     any may.
  /// - Returns: the decision. Gradients that are not finite are added as they are, so that what
  ///   receives the result sees that training diverged.
  @discardableResult
  package func combine(_ auxiliary: Matrix, into main: Matrix, rows: [Int32]? = nil) -> Decision {
    let pair = GradientPair(main: main, auxiliary: auxiliary, rows: rows)
    let products = pair.products()
    let decision = decide(products) { pair.projectedSquare(factor: $0) }
    // Skipped where it adds nothing, so that not even the sign of a zero changes.
    if decision.auxiliaryFactor != 0, products.auxiliary != 0 { pair.combine(decision) }
    return decision
  }

  /// - Parameter projectedSquare: ‖a − c g‖² for a factor c. It is summed rather than computed from
  ///   the products, which would cancel where a is nearly opposite to g.
  private func decide(
    _ products: GradientPair.Products, projectedSquare: (_ factor: Double) -> Double
  ) -> Decision {
    var decision = Decision()
    guard products.main.isFinite, products.auxiliary.isFinite else { return decision }
    guard products.main > 0 else {
      decision.auxiliaryFactor = 0
      return decision
    }
    var factor = 0.0
    var square = products.auxiliary
    if products.mixed < 0 {
      decision.isConflict = true
      factor = products.mixed / products.main
      square = projectedSquare(factor)
    }
    let (length, longest) = (square.squareRoot(), limit * products.main.squareRoot())
    if longest == 0 {
      decision.auxiliaryFactor = 0
    } else if length > longest {
      decision.auxiliaryFactor = longest / length
    }
    decision.mainFactor = 1 - decision.auxiliaryFactor * factor
    return decision
  }
}

/// Two gradients of one tensor.
private struct GradientPair {
  /// ‖g‖², ⟨a, g⟩ and ‖a‖².
  typealias Products = (main: Double, mixed: Double, auxiliary: Double)

  private let main: Matrix
  private let auxiliary: Matrix
  private let rows: [Int32]?
  /// Ranges of positions in `rows`, or of rows. Each is a fixed range of rows.
  private let blocks: [Range<Int>]

  init(main: Matrix, auxiliary: Matrix, rows: [Int32]?) {
    precondition(
      main.hasSameShape(as: auxiliary), "gate of \(main.shape) and \(auxiliary.shape)")
    self.main = main
    self.auxiliary = auxiliary
    self.rows = rows
    let size = max(1, Lanes.blockElements / max(1, main.columns))
    guard let rows else {
      blocks = stride(from: 0, to: main.rows, by: size).map { $0..<min($0 + size, main.rows) }
      return
    }
    var blocks: [Range<Int>] = []
    var start = 0
    while start < rows.count {
      let last = (Int(rows[start]) / size + 1) * size
      let end = rows[start...].firstIndex { Int($0) >= last } ?? rows.count
      blocks.append(start..<end)
      start = end
    }
    self.blocks = blocks
  }

  func products() -> Products {
    let sums = sums(3) { mrdib_gradient_products($0, $1, $2, $3, main.columns, $4) }
    return (sums[0], sums[1], sums[2])
  }

  /// ‖a − c g‖².
  func projectedSquare(factor: Double) -> Double {
    sums(1) { mrdib_projected_square($0, $1, factor, $2, $3, main.columns, $4) }[0]
  }

  func combine(_ decision: GradientGate.Decision) {
    forEachBlock { _, main, auxiliary, rows, count in
      mrdib_combine_gradients(
        main, auxiliary, decision.mainFactor, decision.auxiliaryFactor, rows, count,
        self.main.columns)
    }
  }

  /// Sums over all blocks, added in their order.
  private func sums(
    _ count: Int,
    _ add: (
      UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Int32>?, Int,
      UnsafeMutablePointer<Double>
    ) -> Void
  ) -> [Double] {
    var parts = [Double](repeating: 0, count: count * blocks.count)
    parts.withUnsafeMutableBufferPointer { parts in
      guard let start = parts.baseAddress else { return }
      forEachBlock { block, main, auxiliary, rows, rowCount in
        add(main, auxiliary, rows, rowCount, start + block * count)
      }
    }
    return (0..<count).map { index in
      blocks.indices.reduce(0) { $0 + parts[$1 * count + index] }
    }
  }

  /// Calls `body` for every block on all lanes, with what the kernels take: both gradients, the
  /// rows or null, and their number.
  private func forEachBlock(
    _ body: (
      _ block: Int, UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Int32>?, Int
    ) -> Void
  ) {
    (rows ?? []).withUnsafeBufferPointer { listed in
      Lanes.current.forEachRange(of: blocks.count, elements: Lanes.blockElements) { range in
        for block in range {
          let positions = blocks[block]
          // Without a list, positions are rows.
          let offset = rows == nil ? positions.lowerBound * main.columns : 0
          body(
            block, main.pointer + offset, UnsafePointer(auxiliary.pointer + offset),
            rows == nil ? nil : listed.baseAddress.map { $0 + positions.lowerBound },
            positions.count)
        }
      }
    }
  }
}
