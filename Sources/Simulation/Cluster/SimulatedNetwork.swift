/// From one process to another.
struct Route: Hashable {
  /// Whom a message is for.
  enum Receiver: Hashable {
    /// Whoever is there when the message comes: what listens at a fixed address.
    case slot(Slot)
    case process(ProcessName)

    var slot: Slot {
      switch self {
      case .slot(let slot): slot
      case .process(let name): name.slot
      }
    }
  }

  let sender: ProcessName
  let receiver: Receiver
}

/// Which slots are cut off, and which messages have overtaken others.
struct SimulatedNetwork {
  private struct Cut {
    let slot: Slot
    let sending: Bool
    let receiving: Bool
  }

  private var cuts: [UInt64: Cut] = [:]
  private var lastNumber: UInt64 = 0
  /// The latest message that has come, by its number.
  private var arrived: [Route: UInt64] = [:]

  /// Numbers ascend.
  mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  // MARK: Partitions

  /// Cuts a slot off, until ``heal(_:)`` with the number that this returns.
  mutating func cut(_ slot: Slot, sending: Bool, receiving: Bool) -> UInt64 {
    let number = nextNumber()
    cuts[number] = Cut(slot: slot, sending: sending, receiving: receiving)
    return number
  }

  mutating func heal(_ number: UInt64) { cuts[number] = nil }

  func isCut(_ route: Route) -> Bool {
    cuts.values.contains { cut in
      (cut.slot == route.sender.slot && cut.sending)
        || (cut.slot == route.receiver.slot && cut.receiving)
    }
  }

  // MARK: What comes

  /// Takes note of a message that has come.
  ///
  /// - Returns: whether one that was sent later came before it.
  mutating func isOvertaken(_ number: UInt64, on route: Route) -> Bool {
    let latest = arrived[route] ?? 0
    arrived[route] = max(latest, number)
    return number < latest
  }
}
