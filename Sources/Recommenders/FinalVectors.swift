import Tensors

/// How the final vectors, whose inner products rank, follow from the parameters.
public enum FinalVectors: Sendable {
  /// They are the rows of two tables.
  case tables(user: Int, item: Int)
  /// One side is a table; each row of the other can be computed by itself.
  case rows(RowwiseFinalVectors)
  /// Both sides are computed together, from whole tables.
  case whole(WholeFinalVectors)
  /// Both sides are computed layer by layer, in blocks.
  case layered(LayeredFinalVectors)
}

/// Final vectors of one side that are computed row by row, in blocks.
public struct RowwiseFinalVectors: Sendable {
  /// The side that is computed.
  public let side: Side
  /// The table that holds the other side's vectors.
  public let otherTable: Int
  /// D of the computed vectors.
  public let width: Int
  /// The rows of each table that a range of vectors depends on.
  public let rows: @Sendable (Range<Int>) -> [RowSelection]
  /// The vectors of a range, `[range.count, D]`, from those rows.
  public let compute: @Sendable (Range<Int>, [Matrix]) -> Matrix

  public init(
    side: Side, otherTable: Int, width: Int,
    rows: @escaping @Sendable (Range<Int>) -> [RowSelection],
    compute: @escaping @Sendable (Range<Int>, [Matrix]) -> Matrix
  ) {
    self.side = side
    self.otherTable = otherTable
    self.width = width
    self.rows = rows
    self.compute = compute
  }
}

/// Final vectors of both sides, computed at once: `[U, D]` and `[I, D]`.
public struct WholeFinalVectors: Sendable {
  /// D of the vectors.
  public let width: Int
  /// The tables that they depend on, all rows.
  public let tables: [Int]
  /// Whether an evaluation ranks with the vectors of the last training forward: computed from the
  /// parameters before the last update, and with that step's random graph. The reference toolbox
  /// does so for some models; see each model's `staleRanking`.
  public let isStale: Bool
  /// The vectors from all parameters (matrices of no rows for other tables). `context` is that of
  /// the last training step when the vectors are stale, and nil for an evaluation.
  public let compute: @Sendable ([Matrix], StepContext?) -> (user: Matrix, item: Matrix)

  public init(
    width: Int, tables: [Int], isStale: Bool = false,
    compute: @escaping @Sendable ([Matrix], StepContext?) -> (user: Matrix, item: Matrix)
  ) {
    self.width = width
    self.tables = tables
    self.isStale = isStale
    self.compute = compute
  }
}

extension FinalVectors {
  /// Both sides, for a model whose forward pass computes them.
  ///
  /// - Parameters:
  ///   - forward: records `[U, D]` and `[I, D]` from whole tables; its context is that of
  ///     ``WholeFinalVectors/compute``.
  static func whole(
    width: Int, tables: [Int], isStale: Bool,
    forward:
      @escaping @Sendable (Tape, [Variable], StepContext?) -> (
        user: Variable, item: Variable
      )
  ) -> FinalVectors {
    .whole(
      WholeFinalVectors(width: width, tables: tables, isStale: isStale) { parameters, context in
        // The tape is not reused, so its matrices can be returned.
        let tape = Tape()
        let final = forward(tape, parameters.map { tape.constant($0) }, context)
        return (final.user.value, final.item.value)
      })
  }
}
