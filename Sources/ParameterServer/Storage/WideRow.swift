import CKernels
import Tables
import Tensors

/// A row with all its states in float32, for as long as an update computes on it.
///
/// A table whose states are bfloat16 is updated row by row: the row is copied here, changed by the
/// optimizer's kernel, and rounded back once, whatever number of steps that was.
final class WideRow {
  /// Weights, then states, `[layout.wideStride]`.
  let values: UnsafeMutablePointer<Float>
  private let width: Int
  private let states: Int

  /// - Precondition: `layout` has one or two states in bfloat16, with one number per weight.
  init(_ layout: RowLayout) {
    precondition(
      (1...2).contains(layout.states.count)
        && layout.states.allSatisfy { $0.precision == .bfloat16 && $0.extent == .onePerWeight })
    width = layout.width
    states = layout.states.count
    values = .allocate(capacity: layout.wideStride)
    values.initialize(repeating: 0, count: layout.wideStride)
  }

  deinit { values.deallocate() }

  /// Copies a row of the table.
  func load(_ row: UnsafePointer<Float>) { mrdib_row_widen(values, row, width, states) }

  /// Replaces the row with an id in the table, with its states rounded.
  func store(to row: UnsafeMutablePointer<Float>, row id: Int, by rounding: StateRounding) {
    mrdib_row_round(row, values, width, states, rounding.numbers(ofRow: id))
  }
}

/// The random numbers by which the states of one table are rounded at one step: a function of the
/// seed, the table, the step's number, the row's id and the column. So the bits depend neither on
/// the server, the process or the thread, nor on what happened before.
struct StateRounding {
  private let random: CounterRandom

  /// - Parameter step: the number of the table's update, from 1.
  init(seed: UInt64, table: TableSpec, step: Int) {
    random = CounterRandom(
      seed: seed, stream: .stateRounding, epoch: Int(StableHash.of(table.name) & 0xFFFF_FFFF),
      step: step)
  }

  func numbers(ofRow id: Int) -> mrdib_rounding {
    mrdib_rounding(
      key0: random.key.x, key1: random.key.y, row: UInt32(truncatingIfNeeded: id),
      step: random.step, table: random.epoch)
  }
}
