import Tables

/// The rows of one table that a server holds, with their optimizer state.
///
/// A value: a copy keeps what it has when the original goes on, at the cost of the blocks that are
/// written meanwhile. Row indices here are local ones (see ``RowDirectory``).
package struct TableStore: Sendable {
  let spec: TableSpec
  let layout: RowLayout
  let directory: RowDirectory
  private(set) var blocks: [RowBlock]
  /// Rows of a block are a power of two, so that finding a row takes no division.
  private let blockShift: Int

  private static let blockByteCount = 1 << 20

  var rowCount: Int { directory.count }

  /// Rows with their initial values, which depend on nothing but the seed and the row; zeros
  /// without a seed.
  init(_ spec: TableSpec, layout: RowLayout, directory: RowDirectory, seed: UInt64?) {
    self.spec = spec
    self.layout = layout
    self.directory = directory
    let rowsThatFit = max(1, Self.blockByteCount / layout.byteCount)
    let shift = Int.bitWidth - 1 - rowsThatFit.leadingZeroBitCount
    blockShift = shift
    blocks = stride(from: 0, to: directory.count, by: 1 << shift).map { start in
      RowBlock(rowCount: min(1 << shift, directory.count - start), layout: layout)
    }
    guard let seed else { return }
    directory.forEachRow { index, row in
      let values = blocks[index >> shift].values + (index & ((1 << shift) - 1)) * layout.stride
      spec.initializer.fill(
        UnsafeMutableBufferPointer(start: values, count: layout.width), table: spec.name, row: row,
        seed: seed)
    }
  }

  /// Where a row lies.
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
    /// Weights, then state, `[stride]`.
    let values: UnsafeMutablePointer<Float>
    let lastUpdate: UnsafeMutablePointer<UInt32>?
  }

  /// A block of rows that may be written.
  struct WritableBlock {
    /// -1: none yet.
    fileprivate(set) var index = -1
    fileprivate var values: UnsafeMutablePointer<Float>?
    fileprivate var lastUpdates: UnsafeMutablePointer<UInt32>?
  }

  /// The row at an index, for writing; `block` remembers the block between neighbouring rows.
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

  /// The row at an index, for reading: weights, then state.
  @inline(__always)
  func row(at index: Int) -> UnsafePointer<Float> {
    let location = location(of: index)
    return UnsafePointer(blocks[location.block].values + location.offset * layout.stride)
  }

  /// The number of a row's last update; 0: none yet, or not tracked.
  @inline(__always)
  func lastUpdate(at index: Int) -> Int {
    let location = location(of: index)
    return blocks[location.block].lastUpdates.map { Int($0[location.offset]) } ?? 0
  }
}
