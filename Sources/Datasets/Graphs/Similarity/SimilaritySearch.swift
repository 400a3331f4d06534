internal import CKernels
import Tensors

/// Finds the items that are most similar to vectors, by the product of their cosines over one or
/// several modalities.
///
/// First, matrix products of a block of vectors with tiles of items give the cosines in single
/// precision; a block of rows over all items is in memory at a time, never all pairs. Then items
/// within ``margin`` of the last place are computed again in double precision (``FeatureProbe``)
/// and rounded to single precision. So neither the order of a product's sums nor the shape of a
/// block affects the ranking, and similarities that are equal by construction come out equal. Equal
/// ones rank by the smaller item id.
struct SimilaritySearch {
  /// An item and its similarity.
  typealias Match = (item: Int32, similarity: Float)

  /// Far above the rounding of a cosine in single precision, far below differences in real data.
  static let margin: Float = 1e-5

  private let probes: [FeatureProbe]
  private let itemCount: Int
  private let blockRows: Int
  private let tileRows: Int

  /// - Parameters:
  ///   - blockRows: vectors per product; by default as many as keep the scores within 32 MiB.
  ///   - tileRows: items per product.
  /// - Precondition: there is a modality, and all have the same number of items.
  init(_ modalities: [FeatureRows], blockRows: Int? = nil, tileRows: Int = 1024) {
    precondition(!modalities.isEmpty, "search in no modality")
    probes = modalities.map { FeatureProbe($0) }
    let itemCount = modalities[0].rowCount
    precondition(modalities.allSatisfy { $0.rowCount == itemCount })
    self.itemCount = itemCount
    self.blockRows = blockRows ?? min(512, max(32, (8 << 20) / itemCount))
    self.tileRows = min(tileRows, itemCount)
  }

  /// Searches for some vectors.
  ///
  /// - Parameters:
  ///   - queryCount: how many vectors there are.
  ///   - count: how many items to find for a vector, at most.
  ///   - focus: makes a modality's probe the vector of a query.
  ///   - progress: receives the share of the vectors that are searched for, from 0 to 1.
  ///   - visit: receives the items of each query in turn, most similar first.
  func run(
    queryCount: Int, count: (Int) -> Int, focus: (FeatureProbe, Int) -> Void,
    progress: (Double) -> Void, visit: (Int, ArraySlice<Match>) -> Void
  ) {
    let buffers = Buffers(
      probes, blockRows: min(blockRows, queryCount), tileRows: tileRows, itemCount: itemCount)
    for start in stride(from: 0, to: queryCount, by: blockRows) {
      let queries = start..<min(start + blockRows, queryCount)
      score(queries, focus: focus, in: buffers)
      for query in queries {
        let wanted = min(count(query), itemCount)
        guard wanted > 0 else { continue }
        let row = buffers.scores.row(query - start)
        let candidates = Self.candidates(in: UnsafeBufferPointer(row), for: wanted)
        for probe in probes { focus(probe, query) }
        let matches = candidates.map { item -> Match in
          let similarity = probes.reduce(1) { $0 * $1.cosine(with: Int(item)) }
          return (item: item, similarity: Float(similarity))
        }
        let ranked = matches.sorted { ($1.similarity, $0.item) < ($0.similarity, $1.item) }
        visit(query, ranked.prefix(wanted))
      }
      progress(Double(queries.upperBound) / Double(queryCount))
    }
  }

  /// The inputs and outputs of one search's products. Allocated once, because the allocator does
  /// not reuse memory of this size that is freed between smaller allocations.
  private struct Buffers {
    /// `[block, I]`.
    let scores: Matrix
    /// The cosines of a further modality, `[block, tile]`.
    let factors: Matrix
    /// For each modality the block's vectors `[block, F]` and the tile's items `[tile, F]`.
    let inputs: [(vectors: Matrix, items: Matrix)]

    init(_ probes: [FeatureProbe], blockRows: Int, tileRows: Int, itemCount: Int) {
      scores = Matrix(rows: blockRows, columns: itemCount)
      factors = Matrix(rows: blockRows, columns: probes.count > 1 ? tileRows : 0)
      inputs = probes.map { probe in
        let width = probe.rows.width
        return (
          Matrix(rows: blockRows, columns: width), Matrix(rows: tileRows, columns: width)
        )
      }
    }
  }

  /// Products of cosines of a block of queries with all items.
  private func score(
    _ queries: Range<Int>, focus: (FeatureProbe, Int) -> Void, in buffers: Buffers
  ) {
    for (position, probe) in probes.enumerated() {
      let width = probe.rows.width
      let (block, tile) = buffers.inputs[position]
      for (row, query) in queries.enumerated() {
        focus(probe, query)
        probe.copyUnitVector(to: block.pointer + row * width)
      }
      for first in stride(from: 0, to: itemCount, by: tileRows) {
        let items = first..<min(first + tileRows, itemCount)
        probe.rows.copyUnitRows(items, to: tile.pointer)
        let target = BLAS.Block(
          buffers.scores.pointer + first, rows: queries.count, columns: items.count,
          stride: itemCount)
        let output =
          position == 0
          ? target
          : BLAS.Block(
            buffers.factors.pointer, rows: queries.count, columns: items.count,
            stride: tileRows)
        BLAS.multiply(
          BLAS.Block(block.pointer, rows: queries.count, columns: width, stride: width),
          BLAS.Block(tile.pointer, rows: items.count, columns: width, stride: width),
          transposeB: true, into: output)
        if position > 0 { Self.multiply(output, into: target) }
      }
    }
  }

  /// `target ⊙= factors`.
  private static func multiply(_ factors: BLAS.Block, into target: BLAS.Block) {
    Lanes.current.forEachRange(of: target.rows, elements: target.columns) { rows in
      for row in rows {
        let source = factors.pointer + row * factors.stride
        let destination = target.pointer + row * target.stride
        for column in 0..<target.columns { destination[column] *= source[column] }
      }
    }
  }

  /// The items, ascending, that may be among the best `count` once scores are exact.
  private static func candidates(in scores: UnsafeBufferPointer<Float>, for count: Int) -> [Int32] {
    guard count < scores.count else { return (0..<scores.count).map { Int32($0) } }
    let lowest = scoreOfLast(of: count, in: scores) - margin
    return scores.indices.filter { scores[$0] >= lowest }.map { Int32($0) }
  }

  /// The `count`-th largest score.
  private static func scoreOfLast(of count: Int, in scores: UnsafeBufferPointer<Float>) -> Float {
    let capacity = max(256, 2 * count + MRDIB_RANKING_CHUNK)
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: capacity) { keys in
      var best = mrdib_ranking_row(
        keys: keys.baseAddress, count: 0, capacity: capacity, threshold: -.infinity)
      let isFinite = mrdib_ranking_scan(scores.baseAddress, scores.count, 0, count, &best)
      precondition(isFinite, "the cosine of finite features is not finite")
      mrdib_ranking_finish(&best, count)
      return mrdib_ranking_score(keys[count - 1])
    }
  }
}
