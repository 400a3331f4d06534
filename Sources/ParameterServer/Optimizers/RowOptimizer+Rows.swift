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

  package func catchUp(_ rows: LocalRows, of table: inout TableStore, with steps: [Step]) {
    guard untouchedRows == .moveWhenUsed else { return }
    let width = table.layout.width
    let count = rows.count
    steps.withUnsafeBufferPointer { steps in
      withExtendedLifetime(rows) {
        _ = table.forEachRange(changing: rows.indices, count: count) { range in
          rows.forEach(in: rows.positions(of: range.rows)) { position, index in
            if position + TableStore.lookahead < count {
              range.prefetch(rows.localIndex(at: position + TableStore.lookahead))
            }
            // Rows without updates and rows that are current are not written, so that their blocks
            // stay shared with snapshots.
            let lastUpdate = range.lastUpdate(at: index)
            guard lastUpdate > 0 && lastUpdate < steps.count else { return }
            catchUp(range.writableRow(at: index), width: width, with: steps, to: steps.count)
          }
          return 0
        }
      }
    }
  }

  package func copy(
    _ rows: LocalRows, of table: TableStore, with steps: [Step],
    to destination: UnsafeMutablePointer<Float>
  ) {
    table.copy(rows, to: destination)
    guard untouchedRows == .moveWhenUpdated else { return }
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
