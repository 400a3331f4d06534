import CKernels
import Tensors

/// Neighbouring rows of a table that one lane writes. Their blocks of rows belong to no other lane,
/// so that a block that is shared with a snapshot can be copied without a lock.
struct RowRange {
  /// Local indices.
  let rows: Range<Int>
  let layout: RowLayout
  fileprivate let blocks: UnsafeMutablePointer<RowBlock>
  fileprivate let blockShift: Int
  /// The block that was written last; -1 for none.
  private var writable = -1

  fileprivate init(
    rows: Range<Int>, layout: RowLayout, blocks: UnsafeMutablePointer<RowBlock>, blockShift: Int
  ) {
    self.rows = rows
    self.layout = layout
    self.blocks = blocks
    self.blockShift = blockShift
  }

  /// The row at a local index of the range, for writing.
  @inline(__always)
  mutating func writableRow(at index: Int) -> TableStore.WritableRow {
    let block = index >> blockShift
    if block != writable {
      if !isKnownUniquelyReferenced(&blocks[block]) {
        blocks[block] = RowBlock(copying: blocks[block])
      }
      writable = block
    }
    let offset = index & ((1 << blockShift) - 1)
    return TableStore.WritableRow(
      values: blocks[block].values + offset * layout.stride,
      lastUpdate: blocks[block].lastUpdates.map { $0 + offset })
  }

  /// The row at a local index of the range, for reading: weights, then states as they are stored.
  @inline(__always)
  func row(at index: Int) -> UnsafePointer<Float> {
    let offset = index & ((1 << blockShift) - 1)
    return UnsafePointer(blocks[index >> blockShift].values + offset * layout.stride)
  }

  /// The number of a row's last update; 0 if there was none or it is not tracked.
  @inline(__always)
  func lastUpdate(at index: Int) -> Int {
    let offset = index & ((1 << blockShift) - 1)
    return blocks[index >> blockShift].lastUpdates.map { Int($0[offset]) } ?? 0
  }

  /// Prefetches a row that will follow soon, if it is one of the range.
  @inline(__always)
  func prefetch(_ index: Int) {
    guard rows.contains(index) else { return }
    let offset = index & ((1 << blockShift) - 1)
    let block = index >> blockShift
    mrdib_prefetch(
      blocks[block].values + offset * layout.stride, layout.stride * MemoryLayout<Float>.stride)
    if let lastUpdates = blocks[block].lastUpdates {
      mrdib_prefetch(lastUpdates + offset, MemoryLayout<UInt32>.stride)
    }
  }
}

extension RowRange {
  /// Prefetches what is needed of rows that follow: the first, and the second one's block.
  @inline(__always)
  func prefetch(_ upcoming: (row: Int?, later: Int?)) {
    if let later = upcoming.later, rows.contains(later) {
      RowBlock.prefetch(blocks + (later >> blockShift))
    }
    if let row = upcoming.row { prefetch(row) }
  }
}

extension TableStore {
  /// Rows of a range in which a lane updates so many of them that it is worth its while.
  private var rowsPerRange: Int { max(1, (1 << 14) / max(1, layout.width)) }

  /// With fewer, one thread updates all rows.
  private static let smallestCount = 4

  /// Calls `body` with ranges that cover all rows of the server, on all lanes if many rows are
  /// changed. A row is changed by one lane alone, so that the cut has no effect on any bit.
  ///
  /// - Parameters:
  ///   - changed: the rows that are changed, ascending; nil: rows 0 ..< count.
  ///   - count: how many they are.
  /// - Returns: the sum of what `body` returns.
  @inline(__always)
  mutating func forEachRange(
    changing changed: UnsafePointer<UInt32>?, count: Int,
    _ body: (inout RowRange) -> Int
  ) -> Int {
    let starts = rangeStarts(changing: changed, count: count)
    let (layout, shift, rowCount) = (layout, blockShift, rowCount)
    return withBlocks { blocks in
      guard let first = blocks.baseAddress else { return 0 }
      let rangeCount = starts.count - 1
      guard rangeCount > 1 else {
        var range = RowRange(
          rows: 0..<rowCount, layout: layout, blocks: first, blockShift: shift)
        return body(&range)
      }
      let results = [Int](unsafeUninitializedCapacity: rangeCount) { buffer, initialized in
        let results = buffer
        Lanes.current.forEach(rangeCount) { number, _ in
          var range = RowRange(
            rows: starts[number]..<starts[number + 1], layout: layout, blocks: first,
            blockShift: shift)
          results[number] = body(&range)
        }
        initialized = rangeCount
      }
      return results.reduce(0, +)
    }
  }

  /// The first row of each range, and the number of rows. Ranges begin where blocks of rows begin.
  private func rangeStarts(changing changed: UnsafePointer<UInt32>?, count: Int) -> [Int] {
    var starts = [0]
    let size = rowsPerRange
    if Lanes.current.count > 1, count >= Self.smallestCount * size {
      for position in stride(from: size, to: count, by: size) {
        let row = changed.map { Int($0[position]) } ?? position
        let start = (row >> blockShift) << blockShift
        if start > starts[starts.count - 1] { starts.append(start) }
      }
    }
    return starts + [rowCount]
  }
}
