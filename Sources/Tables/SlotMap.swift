import Tensors

/// Which server holds which rows.
///
/// Blocks of rows hash to a fixed number of slots, and slots map to servers: changing the number
/// of servers moves slots, and rehashes no row.
public struct SlotMap: Sendable, Equatable {
  /// The number of slots, the same in every run.
  public static let slotCount = 4096

  /// Servers that share the slots.
  public let serverCount: Int

  /// Spreads the slots evenly: slot s belongs to server ⌊s · serverCount / slotCount⌋.
  ///
  /// - Precondition: `1 ... slotCount` servers.
  public init(serverCount: Int) {
    precondition(serverCount >= 1 && serverCount <= Self.slotCount, "\(serverCount) servers")
    self.serverCount = serverCount
  }

  /// The slot of a block of rows.
  public static func slot(tableHash: UInt64, block: Int) -> Int {
    Int(CounterRandom.mix(tableHash &+ UInt64(block)) >> 52)
  }

  /// The server that holds a slot.
  public func server(ofSlot slot: Int) -> Int { slot * serverCount / Self.slotCount }
}

/// The server of every row of one table, precomputed per block.
public struct TablePlacement: Sendable {
  /// Rows of the table.
  public let rows: Int
  /// Consecutive rows that are placed together.
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

/// A hash of text that is the same in every process and release (FNV-1a, 64 bits); placement and
/// initial values depend on it.
public enum StableHash {
  /// The hash of the UTF-8 bytes of a text.
  public static func of(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}
