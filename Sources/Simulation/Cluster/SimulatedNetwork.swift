/// From one process to another.
package struct Route: Hashable, Sendable {
  /// Whom a message is for.
  package enum Receiver: Hashable, Sendable {
    /// Whoever is there when the message comes: what listens at a fixed address.
    case slot(Slot)
    case process(ProcessName)

    package var slot: Slot {
      switch self {
      case .slot(let slot): slot
      case .process(let name): name.slot
      }
    }
  }

  package let sender: ProcessName
  package let receiver: Receiver
}

/// Which slots are cut off, and which messages have overtaken others.
struct SimulatedNetwork {
  /// What does not arrive; nil: anybody.
  private struct Cut {
    var senders: Slot?
    var receivers: Slot?

    func holds(_ route: Route) -> Bool {
      senders.map { $0 == route.sender.slot } ?? true
        && receivers.map { $0 == route.receiver.slot } ?? true
    }
  }

  private var cuts: [UInt64: [Cut]] = [:]
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
    make((sending ? [Cut(senders: slot)] : []) + (receiving ? [Cut(receivers: slot)] : []))
  }

  /// Lets nothing through that a slot sends to another, and perhaps nothing that the other sends to
  /// it, until ``heal(_:)`` with the number that this returns.
  mutating func part(_ slot: Slot, from other: Slot, bothWays: Bool) -> UInt64 {
    let back = bothWays ? [Cut(senders: other, receivers: slot)] : []
    return make([Cut(senders: slot, receivers: other)] + back)
  }

  private mutating func make(_ cut: [Cut]) -> UInt64 {
    let number = nextNumber()
    cuts[number] = cut
    return number
  }

  mutating func heal(_ number: UInt64) { cuts[number] = nil }

  func isCut(_ route: Route) -> Bool {
    cuts.values.contains { $0.contains { $0.holds(route) } }
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
