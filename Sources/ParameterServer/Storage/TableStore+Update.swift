import CKernels

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

  /// Calls `body` with each row that has a gradient, ascending, and the sum of its gradients.
  @inline(__always)
  mutating func forEachGradient(
    _ sources: [GradientSource], _ body: (WritableRow, UnsafeRawPointer) -> Void
  ) -> Int {
    var merge = GradientMerge(sources, width: layout.width)
    var block = WritableBlock()
    var count = 0
    while let merged = merge.next() {
      if let upcoming = merged.upcoming { prefetch(upcoming) }
      body(writableRow(at: merged.index, in: &block), merged.gradient)
      count += 1
    }
    return count
  }

  /// Calls `body` with every row, ascending, and the sum of its gradients if it has any.
  @inline(__always)
  mutating func forEachRow(
    _ sources: [GradientSource], _ body: (WritableRow, UnsafeRawPointer?) -> Void
  ) -> Int {
    var merge = GradientMerge(sources, width: layout.width)
    var pending = merge.next()
    var block = WritableBlock()
    var count = 0
    for index in 0..<rowCount {
      let row = writableRow(at: index, in: &block)
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

  @inline(__always)
  func prefetch(_ index: Int) {
    mrdib_prefetch(row(at: index), layout.stride * MemoryLayout<Float>.stride)
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
}

/// Iterates over the rows of several contributions in ascending order and adds up each row's
/// gradients in the order of the contributions. So the bits of the sums do not depend on the
/// placement of rows.
///
/// - Complexity: O(contributions) per row in addition to the additions.
struct GradientMerge: ~Copyable {
  struct Row {
    let index: Int
    /// `[width]`, not necessarily aligned; valid until the next call of `next`.
    let gradient: UnsafeRawPointer
    /// A row that will follow soon, for prefetching.
    let upcoming: Int?
  }

  /// How many rows ahead `upcoming` is: enough to hide the memory latency, and few enough to stay
  /// in the cache.
  private static let lookahead = 6

  private let sources: [GradientSource]
  private let width: Int
  private var positions: [Int]
  private let sum: UnsafeMutablePointer<Float>

  init(_ sources: [GradientSource], width: Int) {
    self.sources = sources
    self.width = width
    positions = [Int](repeating: 0, count: sources.count)
    sum = .allocate(capacity: width)
    sum.initialize(repeating: 0, count: width)
  }

  deinit { sum.deallocate() }

  mutating func next() -> Row? {
    var index = Int.max
    for (position, source) in zip(positions, sources) where position < source.count {
      index = min(index, source.row(at: position))
    }
    guard index < Int.max else { return nil }
    var gradient: UnsafeRawPointer?
    var upcoming: Int?
    for number in sources.indices {
      let source = sources[number]
      let position = positions[number]
      guard position < source.count, source.row(at: position) == index else { continue }
      positions[number] += 1
      let values = source.values + position * width * MemoryLayout<Float>.stride
      guard let earlier = gradient else {
        gradient = values  // the only one so far: used where it lies
        if position + Self.lookahead < source.count {
          upcoming = source.row(at: position + Self.lookahead)
        }
        continue
      }
      if earlier != UnsafeRawPointer(sum) {
        UnsafeMutableRawPointer(sum).copyMemory(
          from: earlier, byteCount: width * MemoryLayout<Float>.stride)
        gradient = UnsafeRawPointer(sum)
      }
      mrdib_add(sum, values, width)
    }
    return gradient.map { Row(index: index, gradient: $0, upcoming: upcoming) }
  }
}
