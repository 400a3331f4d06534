import Tensors

/// Which server holds which rows.
///
/// Blocks of rows hash to a fixed number of slots, and slots map to servers: another number of
/// servers moves slots, and no row is ever hashed anew.
public struct SlotMap: Sendable, Equatable {
  public static let slotCount = 4096

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

  public func server(ofSlot slot: Int) -> Int { slot * serverCount / Self.slotCount }
}

/// The server of every row of one table, precomputed per block.
public struct TablePlacement: Sendable {
  public let rows: Int
  public let rowsPerBlock: Int
  private let serverOfBlock: [UInt16]

  public init(_ spec: TableSpec, in map: SlotMap) {
    rows = spec.rows
    rowsPerBlock = spec.rowsPerBlock
    let hash = StableHash.of(spec.name)
    serverOfBlock = (0..<(spec.rows + spec.rowsPerBlock - 1) / spec.rowsPerBlock).map { block in
      UInt16(map.server(ofSlot: SlotMap.slot(tableHash: hash, block: block)))
    }
  }

  @inline(__always)
  public func server(ofRow row: Int) -> Int { Int(serverOfBlock[row / rowsPerBlock]) }

  /// The rows that one server holds, ascending. O(rows of that server + blocks).
  public func rows(ofServer server: Int) -> [UInt32] {
    var result: [UInt32] = []
    for (block, owner) in serverOfBlock.enumerated() where Int(owner) == server {
      let start = block * rowsPerBlock
      result.append(contentsOf: (start..<min(start + rowsPerBlock, rows)).map(UInt32.init))
    }
    return result
  }
}
