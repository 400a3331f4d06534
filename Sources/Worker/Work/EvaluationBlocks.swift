import Datasets
import Recommenders
import Tables
import Tensors

/// The division of an evaluation into blocks; coordinator and workers must use the same.
package struct EvaluationBlocks: Sendable {
  /// A block of final vectors.
  enum Final: Sendable {
    case range(RowwiseFinalVectors, Range<Int>)
    /// The final vectors of both sides, computed from whole tables.
    case whole(WholeFinalVectors, rows: [RowSelection])
    /// The vectors of a block in a layer, from 1.
    case layer(LayeredFinalVectors, layer: Int, LayeredFinalVectors.Block)
  }

  private let finals: [Final]
  /// Into how many rounds of equally many blocks the computation of final vectors is cut: all
  /// blocks of a round must be done before those of the next begin.
  package let materializeRoundCount: Int
  /// Positions in the ranked users.
  private let users: [Range<Int>]

  /// - Parameter userCount: how many users are ranked.
  package init(
    model: TrainingModel, userCount: Int, materializeBlockSize: Int, rankBlockSize: Int
  ) {
    if case .layered(let final) = model.backbone.final {
      materializeRoundCount = final.layers
    } else {
      materializeRoundCount = 1
    }
    switch model.backbone.final {
    case .tables:
      finals = []
    case .rows(let final):
      let count = model.tables[model.finalTable(final.side)].rows
      finals = Self.ranges(count, by: materializeBlockSize).map { .range(final, $0) }
    case .whole(let final):
      let rows = model.tables.indices.map { table -> RowSelection in
        final.tables.contains(table) ? .all : .none
      }
      // Stale vectors are pushed by the last training step instead.
      finals = final.isStale ? [] : [.whole(final, rows: rows)]
    case .layered(let final):
      let blocks = final.blocks(size: materializeBlockSize)
      finals = (1...final.layers).flatMap { layer in
        blocks.map { .layer(final, layer: layer, $0) }
      }
    }
    users = Self.ranges(userCount, by: rankBlockSize)
  }

  package var materializeCount: Int { finals.count }
  package var rankCount: Int { users.count }

  /// The final vectors of a block; nil beyond the last.
  func final(_ block: UInt32) -> Final? {
    block < finals.count ? finals[Int(block)] : nil
  }

  /// The ranked users of a block, by their positions; nil beyond the last.
  package func users(_ block: UInt32) -> Range<Int>? {
    block < users.count ? users[Int(block)] : nil
  }

  private static func ranges(_ count: Int, by size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

extension WorkerEngine {
  var blocks: EvaluationBlocks {
    EvaluationBlocks(
      model: model, userCount: sample?.users.count ?? dataset.userCount,
      materializeBlockSize: setting.materializeBlockSize, rankBlockSize: setting.rankBlockSize)
  }
}

extension EvaluationBlocks {
  /// Vectors that are computed row by row, all of them, in the blocks and so with the bits of an
  /// evaluation: `[rows, D]`.
  ///
  /// - Parameter table: reads a whole table; each is read once.
  /// - Throws: what `table` throws.
  package func finalVectors(
    _ final: RowwiseFinalVectors, table: (Int) throws -> Matrix
  ) throws -> Matrix {
    let ranges = finals.compactMap { block in
      if case .range(_, let range) = block { range } else { nil }
    }
    let result = Matrix(rows: ranges.last?.upperBound ?? 0, columns: final.width)
    var tables: [Int: Matrix] = [:]
    for range in ranges {
      let parameters = try final.rows(range).enumerated().map { index, selection in
        guard selection != .none else { return Matrix(rows: 0, columns: 0) }
        let whole = try tables[index] ?? table(index)
        tables[index] = whole
        guard case .listed(let rows) = selection else { return whole }
        let chosen = Matrix(rows: rows.count, columns: whole.columns)
        for (position, row) in rows.enumerated() {
          _ = chosen.row(position).update(fromContentsOf: whole.row(Int(row)))
        }
        return chosen
      }
      let vectors = final.compute(range, parameters)
      withExtendedLifetime(vectors) {
        (result.pointer + range.lowerBound * final.width)
          .update(from: vectors.pointer, count: vectors.count)
      }
    }
    return result
  }
}
