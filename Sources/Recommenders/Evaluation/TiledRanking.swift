internal import CKernels
import Tensors

/// Finds the best items of some users at a time, from scores that are computed tile by tile:
/// memory grows with the tile, never with users × items.
///
/// Each product has the full number of rows, padded with zeros, so that its shape and its rounding
/// do not depend on the number of users. It is one product on the calling thread: lanes rank tiles
/// of users side by side.
final class TiledRanking {
  /// Users and items per product. Wide tiles are searched faster than narrow ones (one pass for a
  /// bound instead of several), as long as their scores, 4 MiB, fit the processor's last cache.
  struct TileSize: Sendable {
    var users = 128
    var items = 8192
  }

  /// The largest number of items that a user gets.
  let depth: Int
  let tile: TileSize
  private let items: Matrix
  private let users: Matrix
  private let scores: Matrix
  private let capacity: Int
  private let keys: UnsafeMutablePointer<UInt64>
  private var rows: [mrdib_ranking_row] = []

  /// - Parameters:
  ///   - items: one row per item, `[I, D]`.
  ///   - depth: K; lists are no longer than this, nor than the number of items.
  /// - Precondition: `depth > 0`.
  init(items: Matrix, depth: Int, tile: TileSize) {
    precondition(depth > 0 && tile.users > 0 && tile.items > 0)
    self.items = items
    self.depth = min(depth, max(1, items.rows))
    self.tile = tile
    users = Matrix(rows: tile.users, columns: items.columns)
    // Every product overwrites what is read.
    let width = min(tile.items, max(1, items.rows))
    scores = Matrix(
      rows: tile.users, columns: width, storage: MatrixStorage(capacity: tile.users * width))
    capacity = max(256, 2 * self.depth + MRDIB_RANKING_CHUNK)
    keys = .allocate(capacity: tile.users * capacity)
  }

  deinit { keys.deallocate() }

  /// Ranks all items for some rows of `source`.
  ///
  /// - Parameters:
  ///   - selection: at most `tile.users` rows of `source`, `[*, D]`.
  ///   - excluded: for each selected row, ascending ids of items that must not be ranked.
  ///   - subject: the name of a row in errors, such as `user 3`.
  /// - Throws: `EvaluationError.scoreNotFinite`.
  func rank(
    _ selection: ArraySlice<Int>, of source: Matrix, excluded: [ReadOnlyArray<Int32>],
    subject: (Int) -> String
  ) throws {
    precondition(selection.count <= tile.users && excluded.count == selection.count)
    start(selection, of: source)
    var excluded = excluded
    for first in stride(from: 0, to: items.rows, by: scores.columns) {
      let count = min(scores.columns, items.rows - first)
      BLAS.multiplyWhole(
        BLAS.Block(users),
        BLAS.Block(
          items.pointer + first * items.columns, rows: count, columns: items.columns,
          stride: max(1, items.columns)),
        transposeB: true,
        into: BLAS.Block(scores.pointer, rows: users.rows, columns: count, stride: scores.columns))
      for slot in 0..<selection.count {
        let row = UnsafeMutableBufferPointer(
          start: scores.pointer + slot * scores.columns, count: count)
        Self.mask(&excluded[slot], in: row, from: first)
        guard mrdib_ranking_scan(row.baseAddress, count, UInt32(first), depth, &rows[slot]) else {
          let item = row.firstIndex { !$0.isFinite } ?? 0
          throw EvaluationError.scoreNotFinite(
            subject: subject(selection[selection.startIndex + slot]), item: first + item,
            score: row[item])
        }
      }
    }
    for slot in 0..<selection.count { mrdib_ranking_finish(&rows[slot], depth) }
  }

  /// The best items of a slot (a position in the last selection), best first: by descending score,
  /// equal scores by ascending id.
  func best(_ slot: Int) -> some RandomAccessCollection<RankedItem> {
    UnsafeBufferPointer(start: rows[slot].keys, count: rows[slot].count).lazy.map {
      RankedItem(item: Int(mrdib_ranking_item($0)), score: mrdib_ranking_score($0))
    }
  }

  private func start(_ selection: ArraySlice<Int>, of source: Matrix) {
    users.fill(0)
    for (slot, row) in selection.enumerated() {
      (users.pointer + slot * users.columns).update(
        from: source.row(row).baseAddress ?? source.pointer, count: users.columns)
    }
    rows = (0..<selection.count).map { slot in
      mrdib_ranking_row(
        keys: keys + slot * capacity, count: 0, capacity: capacity,
        threshold: MRDIB_MASKED_SCORE)
    }
  }

  /// Consumes the ids that lie in the tile and takes their items out of the ranking.
  private static func mask(
    _ excluded: inout ReadOnlyArray<Int32>, in row: UnsafeMutableBufferPointer<Float>,
    from first: Int
  ) {
    var next = excluded.startIndex
    while next < excluded.endIndex && Int(excluded[next]) < first + row.count {
      row[Int(excluded[next]) - first] = MRDIB_MASKED_SCORE
      next += 1
    }
    excluded = excluded[next...]
  }
}

/// An item and the score that gave it its rank.
public struct RankedItem: Sendable, Equatable {
  public let item: Int
  public let score: Float

  public init(item: Int, score: Float) {
    self.item = item
    self.score = score
  }
}

/// Why a ranking failed or its sums could not be read.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// A score is infinite or NaN, because the parameters are.
  case scoreNotFinite(subject: String, item: Int, score: Float)
  /// Matrices and lists that do not belong together.
  case shapesDisagree(String)
  /// A report of sums lacks a value or holds an impossible one.
  case invalidSum(name: String, found: Double?)

  public var description: String {
    switch self {
    case .scoreNotFinite(let subject, let item, let score):
      "Ranking items for \(subject): the score of item \(item) is \(score), so the embeddings hold"
        + " infinite values or NaN; the run has diverged: lower learning_rate."
    case .shapesDisagree(let detail):
      "Ranking items: \(detail)."
    case .invalidSum(let name, let found?):
      "Reading metric sums: \(name) is \(found); expected a finite number that is not negative."
    case .invalidSum(let name, nil):
      "Reading metric sums: \(name) is missing; do all processes run with the same topk?"
    }
  }
}

/// Recommends the best items for a user by inner product.
public struct Recommender: Sendable {
  private let items: Matrix

  /// - Parameter items: the final item matrix, `[I, D]`.
  public init(items: Matrix) { self.items = items }

  /// The best `count` items for a user vector, best first; equal scores by ascending id.
  ///
  /// - Parameters:
  ///   - count: how many items; fewer are returned if fewer are not excluded.
  ///   - userVector: `[D]`.
  ///   - excluded: items not to be recommended (the user's own), in any order.
  /// - Throws: `EvaluationError` if a score is not finite or the widths differ.
  public func top(
    _ count: Int, for userVector: [Float], excluding excluded: [Int32] = []
  ) throws -> [RankedItem] {
    guard userVector.count == items.columns else {
      throw EvaluationError.shapesDisagree(
        "a user vector of \(userVector.count) numbers and items \(items.shape) have different"
          + " widths")
    }
    guard count > 0, items.rows > 0 else { return [] }
    let ranking = TiledRanking(
      items: items, depth: count, tile: TiledRanking.TileSize(users: 1, items: 8192))
    let user = Matrix(rows: 1, columns: userVector.count, elements: userVector)
    let known = excluded.filter { $0 >= 0 && Int($0) < items.rows }.sorted()
    try ranking.rank(
      [0], of: user, excluded: [ReadOnlyArray(known)], subject: { _ in "a user vector" })
    return Array(ranking.best(0))
  }
}
