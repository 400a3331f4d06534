import Tensors

/// Which server holds which rows.
///
/// Blocks of rows hash to a fixed number of slots, and slots map to servers: another number of
/// servers moves slots, and no row is ever hashed anew.
public struct SlotMap: Sendable, Equatable {
  /// Slots of every run, whatever its number of servers.
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
