internal import CKernels

extension TableStore {
  /// Applies one update with the gradients of a version, each row's added in the given order.
  ///
  /// - Returns: how many rows a gradient reached.
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
