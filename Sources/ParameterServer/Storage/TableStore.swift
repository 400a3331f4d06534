import CKernels
import Tables
import Tensors

/// The rows of one table that a server holds, with their optimizer state.
///
/// A value with copy-on-write: copies share blocks of rows, and a shared block is copied before it
/// is written. Row indices are local indices (see ``RowDirectory``).
package struct TableStore: Sendable {
  let spec: TableSpec
  let layout: RowLayout
  let directory: RowDirectory
  /// The run's seed.
  let seed: UInt64
  private(set) var blocks: [RowBlock]
  /// Binary logarithm of the rows per block: finding a row needs no division.
  let blockShift: Int
  /// How many blocks were dropped.
  private var droppedBlocks = 0

  /// Small, because an update of one row of a shared block copies all of it: with millions of rows,
  /// every row of a batch lies in a block of its own.
  private static let blockByteCount = 1 << 14

  /// The rows that are copied together.
  package static func rowsPerBlock(of layout: RowLayout) -> Int { 1 << blockShift(of: layout) }

  /// Binary logarithm of the rows per block.
  private static func blockShift(of layout: RowLayout) -> Int {
    let rowsThatFit = max(1, blockByteCount / layout.byteCount)
    return Int.bitWidth - 1 - rowsThatFit.leadingZeroBitCount
  }

  var rowCount: Int { directory.count }

  /// Rows with their initial values, which depend on the seed and the row only; zeros if
  /// `isInitialized` is false.
  init(
    _ spec: TableSpec, layout: RowLayout, directory: RowDirectory, seed: UInt64,
    isInitialized: Bool
  ) {
    self.spec = spec
    self.layout = layout
    self.directory = directory
    self.seed = seed
    let shift = Self.blockShift(of: layout)
    blockShift = shift
    blocks = RowBlock.make(
      rowCounts: stride(from: 0, to: directory.count, by: 1 << shift).map { start in
        min(1 << shift, directory.count - start)
      }, layout: layout)
    guard isInitialized else { return }
    directory.forEachRow { index, row in
      let values = blocks[index >> shift].values + (index & ((1 << shift) - 1)) * layout.stride
      spec.initializer.fill(
        UnsafeMutableBufferPointer(start: values, count: layout.width), table: spec.name, row: row,
        seed: seed)
    }
  }

  /// The place of a row.
  struct Location {
    let block: Int
    let offset: Int
  }

  @inline(__always)
  func location(of index: Int) -> Location {
    Location(block: index >> blockShift, offset: index & ((1 << blockShift) - 1))
  }

  /// A row that may be written.
  struct WritableRow {
    /// Weights, then states; in a table whose states are rounded, those of a wide row.
    let values: UnsafeMutablePointer<Float>
    let lastUpdate: UnsafeMutablePointer<UInt32>?
  }

  /// A block of rows that may be written.
  struct WritableBlock {
    /// -1 for none.
    fileprivate(set) var index = -1
    fileprivate var values: UnsafeMutablePointer<Float>?
    fileprivate var lastUpdates: UnsafeMutablePointer<UInt32>?
  }

  /// The row at an index, for writing; `block` caches the block for the next call.
  @inline(__always)
  mutating func writableRow(at index: Int, in block: inout WritableBlock) -> WritableRow {
    let location = location(of: index)
    if block.index != location.block { block = writableBlock(location.block) }
    guard let values = block.values else { preconditionFailure("row \(index) of \(rowCount)") }
    return WritableRow(
      values: values + location.offset * layout.stride,
      lastUpdate: block.lastUpdates.map { $0 + location.offset })
  }

  private mutating func writableBlock(_ index: Int) -> WritableBlock {
    if !isKnownUniquelyReferenced(&blocks[index]) {
      blocks[index] = RowBlock(copying: blocks[index])
    }
    return WritableBlock(
      index: index, values: blocks[index].values, lastUpdates: blocks[index].lastUpdates)
  }

  /// Replaces the full blocks before a row by empty ones, so that others who share them need not
  /// copy them. These rows must not be read again.
  mutating func dropBlocks(before index: Int) {
    let end = index == rowCount ? blocks.count : index >> blockShift
    while droppedBlocks < end {
      blocks[droppedBlocks] = Self.noRows
      droppedBlocks += 1
    }
  }

  private static let noRows = RowBlock(rowCount: 0, layout: RowLayout(width: 1))

  /// Calls `body` with all blocks of rows. A block must be copied before it is written, unless the
  /// table has the only reference to it.
  mutating func withBlocks<Result>(
    _ body: (UnsafeMutableBufferPointer<RowBlock>) -> Result
  ) -> Result {
    blocks.withUnsafeMutableBufferPointer { body($0) }
  }

  /// The row at an index, for reading: weights, then states as they are stored.
  @inline(__always)
  func row(at index: Int) -> UnsafePointer<Float> {
    let location = location(of: index)
    return UnsafePointer(blocks[location.block].values + location.offset * layout.stride)
  }

  /// Prefetches where a row's block is, for a row that will be prefetched soon.
  @inline(__always)
  func prefetchBlock(ofRowAt index: Int) {
    blocks.withUnsafeBufferPointer { blocks in
      if let first = blocks.baseAddress { RowBlock.prefetch(first + (index >> blockShift)) }
    }
  }

  /// Prefetches what follows the weights of a row, and the number of its last update.
  @inline(__always)
  func prefetchStates(ofRowAt index: Int) {
    let location = location(of: index)
    let size = MemoryLayout<Float>.stride
    mrdib_prefetch(
      blocks[location.block].values + location.offset * layout.stride + layout.width,
      (layout.stride - layout.width) * size)
    if let lastUpdates = blocks[location.block].lastUpdates {
      mrdib_prefetch(lastUpdates + location.offset, MemoryLayout<UInt32>.stride)
    }
  }

  /// The number of a row's last update; 0 if there was none or it is not tracked.
  @inline(__always)
  func lastUpdate(at index: Int) -> Int {
    let location = location(of: index)
    return blocks[location.block].lastUpdates.map { Int($0[location.offset]) } ?? 0
  }
}

extension TableStore {
  /// How many rows ahead rows are prefetched.
  static let lookahead = 16

  /// Copies the weights of rows to `destination`, `[rows.count, width]`.
  func copy(_ rows: LocalRows, to destination: UnsafeMutablePointer<Float>) {
    let width = layout.width
    let count = rows.count
    Lanes.current.forEachRange(of: count, elements: width) { range in
      rows.forEach(in: range) { position, index in
        if position + 2 * Self.lookahead < count {
          prefetchBlock(ofRowAt: rows.localIndex(at: position + 2 * Self.lookahead))
        }
        if position + Self.lookahead < count {
          let upcoming = row(at: rows.localIndex(at: position + Self.lookahead))
          mrdib_prefetch(upcoming, width * MemoryLayout<Float>.stride)
        }
        (destination + position * width).update(from: row(at: index), count: width)
      }
    }
  }

  /// Replaces the weights of one row; `values` is `[width]`, not necessarily aligned.
  mutating func assign(
    _ values: UnsafeRawPointer, toRowAt index: Int, in block: inout WritableBlock
  ) {
    let row = writableRow(at: index, in: &block)
    UnsafeMutableRawPointer(row.values).copyMemory(
      from: values, byteCount: layout.width * MemoryLayout<Float>.stride)
  }
}

/// The memory of neighbouring rows of a table, 64-byte aligned.
///
/// `Sendable` is unchecked because only a ``TableStore`` with the sole reference writes to a block;
/// a shared block is copied first.
final class RowBlock: @unchecked Sendable {
  /// `[rowCount, stride]`.
  let values: UnsafeMutablePointer<Float>
  /// `[rowCount]`: the number of each row's last update, 0 before the first; nil if not tracked.
  let lastUpdates: UnsafeMutablePointer<UInt32>?
  let rowCount: Int
  let layout: RowLayout

  /// Rows of zeros without updates.
  convenience init(rowCount: Int, layout: RowLayout) {
    self.init(Rows(zeros: rowCount, layout), layout: layout)
  }

  private init(_ rows: Rows, layout: RowLayout) {
    self.layout = layout
    rowCount = rows.count
    values = rows.values
    lastUpdates = rows.lastUpdates
  }

  /// Blocks of rows of zeros without updates.
  ///
  /// The objects are made one after the other, when the rows have their memory, so that they lie
  /// close together: an object in a page of its own costs a miss of the page tables for every row.
  static func make(rowCounts: [Int], layout: RowLayout) -> [RowBlock] {
    rowCounts.map { Rows(zeros: $0, layout) }.map { RowBlock($0, layout: layout) }
  }

  /// The memory of rows.
  private struct Rows {
    let count: Int
    let values: UnsafeMutablePointer<Float>
    let lastUpdates: UnsafeMutablePointer<UInt32>?

    /// Undefined numbers.
    init(uninitialized count: Int, _ layout: RowLayout) {
      self.count = count
      let size = count * layout.stride
      values = UnsafeMutableRawPointer.allocate(
        byteCount: size * MemoryLayout<Float>.stride, alignment: 64
      ).bindMemory(to: Float.self, capacity: size)
      lastUpdates = layout.tracksUpdates ? .allocate(capacity: count) : nil
    }

    init(zeros count: Int, _ layout: RowLayout) {
      self.init(uninitialized: count, layout)
      values.initialize(repeating: 0, count: count * layout.stride)
      lastUpdates?.initialize(repeating: 0, count: count)
    }
  }

  /// A block with the same rows.
  convenience init(copying other: RowBlock) {
    self.init(Rows(uninitialized: other.rowCount, other.layout), layout: other.layout)
    values.initialize(from: other.values, count: rowCount * layout.stride)
    if let source = other.lastUpdates { lastUpdates?.initialize(from: source, count: rowCount) }
  }

  /// Prefetches the block at a place of an array, of which the array has only the address.
  @inline(__always)
  static func prefetch(_ block: UnsafePointer<RowBlock>) {
    mrdib_prefetch(UnsafeRawPointer(block).load(as: UnsafeRawPointer.self), 64)
  }

  deinit {
    values.deallocate()
    lastUpdates?.deallocate()
  }
}
