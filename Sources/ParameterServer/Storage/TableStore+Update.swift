import CKernels
import Tables

extension TableStore {
  /// Applies one update with the gradients of a version; the gradients of a row are added in the
  /// order of `sources`.
  ///
  /// - Returns: the number of rows with a gradient.
  mutating func apply(_ update: RowUpdate, to sources: [GradientSource]) -> Int {
    switch update {
    case .optimizer(let steps): return steps.apply(to: &self, gradients: sources)
    case .average(let rate):
      let width = layout.width
      return forEachGradient(sources) { row, values in
        let isFirst = row.lastUpdate?.pointee == 0
        mrdib_average_update(row.values, values, width, isFirst ? 1 : rate)
        row.lastUpdate?.pointee = 1
      }
    }
  }

  /// Returns rows to their initial values, with states of zero, as if they had never been updated.
  ///
  /// - Parameter count: the number of the last update that such a row can have had.
  /// - Returns: how many rows those were.
  mutating func resetRows(lastUpdatedBy count: Int) -> Int {
    let (layout, spec, seed, directory) = (layout, spec, seed, directory)
    return forEachRange(changing: nil, count: rowCount) { range in
      var resetCount = 0
      for index in range.rows {
        let lastUpdate = range.lastUpdate(at: index)
        guard lastUpdate > 0 && lastUpdate <= count else { continue }
        let row = range.writableRow(at: index)
        row.values.update(repeating: 0, count: layout.stride)
        spec.initializer.fill(
          UnsafeMutableBufferPointer(start: row.values, count: layout.width), table: spec.name,
          row: directory.row(atLocalIndex: index), seed: seed)
        row.lastUpdate?.pointee = 0
        resetCount += 1
      }
      return resetCount
    }
  }

  /// Calls `body` with each row that has a gradient and the sum of its gradients; ascending within
  /// a range of rows, ranges on all lanes.
  ///
  /// - Parameter rounding: how states are rounded after `body`; nil if none are.
  @inline(__always)
  mutating func forEachGradient(
    _ sources: [GradientSource], rounding: StateRounding? = nil,
    _ body: (WritableRow, UnsafeRawPointer) -> Void
  ) -> Int {
    guard let rounding else { return forEachStoredGradient(sources, body) }
    let (layout, directory) = (layout, directory)
    return forEachGradientRange(sources) { range, merge in
      let wide = WideRow(layout)
      var count = 0
      while let merged = merge.next() {
        range.prefetch(merged.upcoming)
        let row = range.writableRow(at: merged.index)
        wide.load(row.values)
        body(WritableRow(values: wide.values, lastUpdate: row.lastUpdate), merged.gradient)
        wide.store(
          to: row.values, row: directory.row(atLocalIndex: merged.index), by: rounding)
        count += 1
      }
      return count
    }
  }

  @inline(__always)
  private mutating func forEachStoredGradient(
    _ sources: [GradientSource], _ body: (WritableRow, UnsafeRawPointer) -> Void
  ) -> Int {
    forEachGradientRange(sources) { range, merge in
      var count = 0
      while let merged = merge.next() {
        range.prefetch(merged.upcoming)
        body(range.writableRow(at: merged.index), merged.gradient)
        count += 1
      }
      return count
    }
  }

  @inline(__always)
  private mutating func forEachGradientRange(
    _ sources: [GradientSource], _ body: (inout RowRange, inout GradientMerge) -> Int
  ) -> Int {
    let width = layout.width
    let largest = sources.max { $0.count < $1.count }
    return forEachRange(changing: largest?.rows, count: largest?.count ?? 0) { range in
      var merge = GradientMerge(sources, rows: range.rows, width: width)
      return body(&range, &merge)
    }
  }

  /// Calls `body` with every row and the sum of its gradients if it has any; ascending within a
  /// range of rows, ranges on all lanes.
  @inline(__always)
  mutating func forEachRow(
    _ sources: [GradientSource], _ body: (WritableRow, UnsafeRawPointer?) -> Void
  ) -> Int {
    let width = layout.width
    return forEachRange(changing: nil, count: rowCount) { range in
      var merge = GradientMerge(sources, rows: range.rows, width: width)
      var pending = merge.next()
      var count = 0
      for index in range.rows {
        let row = range.writableRow(at: index)
        if let merged = pending, merged.index == index {
          body(row, merged.gradient)
          pending = merge.next()
          count += 1
        } else {
          body(row, nil)
        }
      }
      return count
    }
  }
}

/// The gradient rows that one contribution holds for a table.
package struct GradientSource {
  /// Ascending local row indices, `[count]`; nil: rows 0 ..< count.
  let rows: UnsafePointer<UInt32>?
  let count: Int
  /// `[count, width]`, not necessarily aligned.
  let values: UnsafeRawPointer

  @inline(__always)
  func row(at position: Int) -> Int { rows.map { Int($0[position]) } ?? position }

  /// The position of the first of `count` ascending rows (nil: 0 ..< count) that is not below
  /// `row`; `count` if there is none.
  static func position(
    of row: Int, in rows: UnsafePointer<UInt32>?, count: Int
  ) -> Int {
    guard let rows else { return min(row, count) }
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Iterates over a range of the rows of several contributions in ascending order and adds up each
/// row's gradients in the order of the contributions. So the bits of the sums do not depend on the
/// placement of rows.
///
/// - Complexity: O(contributions) per row in addition to the additions.
struct GradientMerge: ~Copyable {
  struct Row {
    let index: Int
    /// `[width]`, not necessarily aligned; valid until the next call of `next`.
    let gradient: UnsafeRawPointer
    /// Rows that will follow soon and somewhat later, for prefetching.
    let upcoming: (row: Int?, later: Int?)
  }

  /// How many rows ahead `upcoming` is: enough to hide the memory latency, and few enough to stay
  /// in the cache.
  private static let lookahead = 6

  private let sources: [GradientSource]
  private let width: Int
  private var positions: [Int]
  /// Where each contribution's rows of the range end.
  private let ends: [Int]
  /// The row at each contribution's position; `Int.max` at its end.
  private var heads: [Int]
  private let sum: UnsafeMutablePointer<Float>

  init(_ sources: [GradientSource], rows: Range<Int>, width: Int) {
    self.sources = sources
    self.width = width
    positions = sources.map {
      GradientSource.position(of: rows.lowerBound, in: $0.rows, count: $0.count)
    }
    ends = sources.map {
      GradientSource.position(of: rows.upperBound, in: $0.rows, count: $0.count)
    }
    heads = [Int](repeating: .max, count: sources.count)
    for number in sources.indices where positions[number] < ends[number] {
      heads[number] = sources[number].row(at: positions[number])
    }
    sum = .allocate(capacity: width)
    sum.initialize(repeating: 0, count: width)
  }

  deinit { sum.deallocate() }

  mutating func next() -> Row? {
    let index = heads.reduce(.max) { min($0, $1) }
    guard index < Int.max else { return nil }
    var gradient: UnsafeRawPointer?
    var upcoming: (row: Int?, later: Int?) = (nil, nil)
    for number in heads.indices where heads[number] == index {
      let source = sources[number]
      let position = positions[number]
      positions[number] = position + 1
      heads[number] = position + 1 < ends[number] ? source.row(at: position + 1) : .max
      let values = source.values + position * width * MemoryLayout<Float>.stride
      guard let earlier = gradient else {
        gradient = values  // the only one so far: used where it lies
        if position + Self.lookahead < ends[number] {
          upcoming.row = source.row(at: position + Self.lookahead)
        }
        if position + 2 * Self.lookahead < ends[number] {
          upcoming.later = source.row(at: position + 2 * Self.lookahead)
        }
        continue
      }
      if earlier == UnsafeRawPointer(sum) {
        mrdib_add(sum, values, width)
      } else {
        mrdib_add_pair(sum, earlier, values, width)
        gradient = UnsafeRawPointer(sum)
      }
    }
    return gradient.map { Row(index: index, gradient: $0, upcoming: upcoming) }
  }
}
