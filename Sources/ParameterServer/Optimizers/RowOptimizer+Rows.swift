import CKernels
import Tensors

/// Loops over the rows that a step changes.
extension RowOptimizer {
  package func apply(
    _ steps: [Step], number: Int, to table: inout TableStore, gradients: [GradientSource]
  ) -> Int {
    let width = table.layout.width
    let rounding =
      table.layout.isRounded
      ? StateRounding(seed: table.seed, table: table.spec, step: number) : nil
    return steps.withUnsafeBufferPointer { steps in
      guard let step = steps.last else { preconditionFailure("an update before step 1") }
      switch untouchedRows {
      case .stay:
        return table.forEachGradient(gradients, rounding: rounding) { row, gradient in
          update(row.values, gradient: gradient, width: width, at: step)
          row.lastUpdate?.pointee = UInt32(number)
        }
      case .moveAtOnce:
        let last = UnsafeBufferPointer(rebasing: steps.suffix(1))
        return table.forEachRow(gradients) { row, gradient in
          if let gradient {
            update(row.values, gradient: gradient, width: width, at: step)
          } else {
            replay(row.values, width: width, steps: last)
          }
        }
      case .moveWhenUsed, .moveWhenUpdated:
        return table.forEachGradient(gradients, rounding: rounding) { row, gradient in
          catchUp(row, width: width, with: steps, to: steps.count - 1)
          update(row.values, gradient: gradient, width: width, at: step)
          row.lastUpdate?.pointee = UInt32(steps.count)
        }
      }
    }
  }

  package func copy(
    _ rows: LocalRows, of table: inout TableStore, with steps: [Step],
    to destination: UnsafeMutablePointer<Float>
  ) {
    switch untouchedRows {
    case .stay, .moveAtOnce: table.copy(rows, to: destination)
    case .moveWhenUsed: copyAfterCatchUp(rows, of: &table, with: steps, to: destination)
    case .moveWhenUpdated: copyAndMove(rows, of: table, with: steps, to: destination)
    }
  }

  /// Brings each row to the state after all steps, and copies it.
  private func copyAfterCatchUp(
    _ rows: LocalRows, of table: inout TableStore, with steps: [Step],
    to destination: UnsafeMutablePointer<Float>
  ) {
    let width = table.layout.width
    let count = rows.count
    steps.withUnsafeBufferPointer { steps in
      withExtendedLifetime(rows) {
        _ = table.forEachRange(changing: rows.indices, count: count) { range in
          rows.forEach(in: rows.positions(of: range.rows)) { position, index in
            let (next, later) = (
              position + TableStore.lookahead, position + 2 * TableStore.lookahead
            )
            range.prefetch(
              (
                row: next < count ? rows.localIndex(at: next) : nil,
                later: later < count ? rows.localIndex(at: later) : nil
              ))
            // Rows without updates and rows that are current are not written, so that their blocks
            // stay shared with snapshots.
            let lastUpdate = range.lastUpdate(at: index)
            if lastUpdate > 0 && lastUpdate < steps.count {
              catchUp(range.writableRow(at: index), width: width, with: steps, to: steps.count)
            }
            (destination + position * width).update(from: range.row(at: index), count: width)
          }
          return 0
        }
      }
    }
  }

  /// Copies each row, and applies the steps that it has missed to the copy.
  private func copyAndMove(
    _ rows: LocalRows, of table: TableStore, with steps: [Step],
    to destination: UnsafeMutablePointer<Float>
  ) {
    table.copy(rows, to: destination)
    let width = table.layout.width
    steps.withUnsafeBufferPointer { steps in
      Lanes.current.forEachRange(of: rows.count, elements: width) { range in
        let wide = table.layout.isRounded ? WideRow(table.layout) : nil
        rows.forEach(in: range) { position, index in
          if position + TableStore.lookahead < rows.count {
            table.prefetchStates(ofRowAt: rows.localIndex(at: position + TableStore.lookahead))
          }
          let done = table.lastUpdate(at: index)
          guard done > 0 && done < steps.count else { return }
          let row = table.row(at: index)
          wide?.load(row)
          addMissed(
            to: destination + position * width, of: wide.map { UnsafePointer($0.values) } ?? row,
            width: width, steps: steps, missed: done..<steps.count)
        }
      }
    }
  }

  /// Applies the steps before `end` that a row missed. A row that never had a gradient is left
  /// alone: its states are zero, so that steps with a zero gradient change nothing.
  @inline(__always)
  private func catchUp(
    _ row: TableStore.WritableRow, width: Int, with steps: UnsafeBufferPointer<Step>, to end: Int
  ) {
    guard let lastUpdate = row.lastUpdate, lastUpdate.pointee > 0 else { return }
    let done = Int(lastUpdate.pointee)
    guard done < end else { return }
    catchUp(row.values, width: width, with: steps, missed: done..<end)
    lastUpdate.pointee = UInt32(end)
  }

  /// Applies steps that a row missed.
  @inline(__always)
  func catchUp(
    _ row: UnsafeMutablePointer<Float>, width: Int, with steps: UnsafeBufferPointer<Step>,
    missed: Range<Int>
  ) {
    if untouchedRows == .moveWhenUpdated {
      settle(row, width: width, steps: steps, missed: missed)
    } else {
      replay(row, width: width, steps: UnsafeBufferPointer(rebasing: steps[missed]))
    }
  }
}
