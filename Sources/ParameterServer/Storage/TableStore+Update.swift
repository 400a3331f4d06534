internal import CKernels

extension TableStore {
  /// Applies one update with the gradients of a version, each row's added in the given order.
  ///
  /// - Returns: how many rows a gradient reached.
  mutating func apply(_ update: RowUpdate, to sources: [GradientSource]) -> Int {
    let width = layout.width
    switch update {
    case .sgd(let rate):
      return forEachGradient(sources) { row, gradient in
        mrdib_sgd_update(row.values, gradient, width, rate)
      }
    case .adagrad(let rate, let epsilon):
      return forEachGradient(sources) { row, gradient in
        mrdib_adagrad_update(row.values, gradient, width, rate, epsilon)
      }
    case .average(let rate):
      return forEachGradient(sources) { row, values in
        let isFirst = row.lastUpdate?.pointee == 0
        mrdib_average_update(row.values, values, width, isFirst ? 1 : rate)
        row.lastUpdate?.pointee = 1
      }
    case .adam(let adam):
      return apply(adam, to: sources)
    }
  }

  private mutating func apply(_ adam: AdamUpdate, to sources: [GradientSource]) -> Int {
    let width = layout.width
    return withUnsafePointer(to: adam.constants) { constants in
      adam.steps.withUnsafeBufferPointer { steps in
        guard let first = steps.baseAddress else { preconditionFailure("Adam before step 1") }
        let current = steps.count - 1
        switch adam.mode {
        case .dense:
          return forEachRow(sources) { row, gradient in
            if let gradient {
              mrdib_adam_update(row.values, gradient, width, constants, first[current])
            } else {
              mrdib_adam_replay(row.values, width, constants, first + current, 1)
            }
          }
        case .lazyExact:
          return forEachGradient(sources) { row, gradient in
            row.catchUp(to: current, width: width, constants: constants, steps: first)
            mrdib_adam_update(row.values, gradient, width, constants, first[current])
            row.lastUpdate?.pointee = UInt32(current + 1)
          }
        case .lazy:
          return forEachGradient(sources) { row, gradient in
            mrdib_adam_update(row.values, gradient, width, constants, first[current])
          }
        }
      }
    }
  }

  /// Brings rows to the state that they would have with every step applied.
  mutating func catchUp(_ rows: LocalRows, with adam: AdamUpdate) {
    let width = layout.width
    var block = WritableBlock()
    withUnsafePointer(to: adam.constants) { constants in
      adam.steps.withUnsafeBufferPointer { steps in
        guard let first = steps.baseAddress else { return }
        let count = rows.count
        rows.forEach { position, index in
          if position + Self.lookahead < count {
            prefetch(rows.localIndex(at: position + Self.lookahead))
          }
          // Rows that nothing ever moved and rows that are current stay shared with copies.
          let lastUpdate = lastUpdate(at: index)
          guard lastUpdate > 0 && lastUpdate < steps.count else { return }
          writableRow(at: index, in: &block)
            .catchUp(to: steps.count, width: width, constants: constants, steps: first)
        }
      }
    }
  }

  /// Calls `body` with each row that has a gradient, ascending, and the sum of its gradients.
  @inline(__always)
  private mutating func forEachGradient(
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
  private mutating func forEachRow(
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

extension TableStore.WritableRow {
  /// Replays the steps up to `step` that the row missed. A row that no gradient ever reached has
  /// zero moments, which no step changes and which move no weight.
  @inline(__always)
  fileprivate func catchUp(
    to step: Int, width: Int, constants: UnsafePointer<mrdib_adam_constants>,
    steps: UnsafePointer<mrdib_adam_step>
  ) {
    guard let lastUpdate, lastUpdate.pointee > 0 else { return }
    let done = Int(lastUpdate.pointee)
    guard done < step else { return }
    mrdib_adam_replay(values, width, constants, steps + done, step - done)
    lastUpdate.pointee = UInt32(step)
  }
}
