/// The server of every row of one table, precomputed per block.
public struct TablePlacement: Sendable {
  /// Rows of the table.
  public let rows: Int
  /// Neighbouring rows that stay together.
  public let rowsPerBlock: Int
  private let serverOfBlock: [UInt16]

  /// Places the rows of a table. O(blocks).
  public init(_ spec: TableSpec, in map: SlotMap) {
    rows = spec.rows
    rowsPerBlock = spec.rowsPerBlock
    let hash = StableHash.of(spec.name)
    serverOfBlock = (0..<(spec.rows + spec.rowsPerBlock - 1) / spec.rowsPerBlock).map { block in
      UInt16(map.server(ofSlot: SlotMap.slot(tableHash: hash, block: block)))
    }
  }

  /// Number of blocks that the rows are cut into; the last one may be short.
  public var blockCount: Int { serverOfBlock.count }

  /// The server that holds a block.
  ///
  /// - Precondition: `0 <= block < blockCount`.
  @inline(__always)
  public func server(ofBlock block: Int) -> Int { Int(serverOfBlock[block]) }

  /// The rows of a block.
  ///
  /// - Precondition: `0 <= block < blockCount`.
  public func rows(inBlock block: Int) -> Range<Int> {
    let start = block * rowsPerBlock
    return start..<min(start + rowsPerBlock, rows)
  }

  /// The server that holds a row.
  ///
  /// - Precondition: `0 <= row < rows`.
  @inline(__always)
  public func server(ofRow row: Int) -> Int { Int(serverOfBlock[row / rowsPerBlock]) }

  /// The rows that one server holds, ascending. O(rows of that server + blocks).
  public func rows(ofServer server: Int) -> [UInt32] {
    var result: [UInt32] = []
    for block in 0..<blockCount where self.server(ofBlock: block) == server {
      result.append(contentsOf: rows(inBlock: block).map(UInt32.init))
    }
    return result
  }
}
