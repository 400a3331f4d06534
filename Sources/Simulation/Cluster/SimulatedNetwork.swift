import Nodes
import Protocol

/// The sender and the receiver of a message.
package struct Route: Hashable, Sendable {
  /// Where a message goes.
  package enum Receiver: Hashable, Sendable {
    /// The process in this slot when the message arrives, as at a fixed address.
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

/// Which links are cut, and which messages have overtaken others.
struct SimulatedNetwork {
  /// The messages that are lost: those from and to these slots; nil means any slot.
  private struct Cut {
    var senders: Slot?
    var receivers: Slot?

    func applies(to route: Route) -> Bool {
      senders.map { $0 == route.sender.slot } ?? true
        && receivers.map { $0 == route.receiver.slot } ?? true
    }
  }

  private var cuts: [UInt64: [Cut]] = [:]
  private var lastNumber: UInt64 = 0
  /// The highest number of a message that has arrived.
  private var arrived: [Route: UInt64] = [:]

  /// The next number of a message or a cut; they ascend.
  mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  // MARK: Partitions

  /// Cuts a slot off from all others, until ``heal(_:)`` with the number that this returns.
  mutating func cutOff(_ slot: Slot, sending: Bool, receiving: Bool) -> UInt64 {
    make((sending ? [Cut(senders: slot)] : []) + (receiving ? [Cut(receivers: slot)] : []))
  }

  /// Cuts the link from one slot to another, and perhaps the way back, until ``heal(_:)`` with the
  /// number that this returns.
  mutating func partition(_ slot: Slot, from other: Slot, bothWays: Bool) -> UInt64 {
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
    cuts.values.contains { $0.contains { $0.applies(to: route) } }
  }

  // MARK: Order

  /// Records that a message has arrived.
  ///
  /// - Returns: whether one that was sent later arrived before it.
  mutating func isOvertaken(_ number: UInt64, on route: Route) -> Bool {
    let latest = arrived[route] ?? 0
    arrived[route] = max(latest, number)
    return number < latest
  }
}

/// Sending and delivering messages: the network loses, repeats, delays and reorders them.
extension SimulatedCluster {
  /// Sends a message to the other end of a connection.
  func send(_ message: MemoryMessage, on connection: ConnectionName, from sender: ProcessName) {
    let receiver = connection.owner == sender ? connection.target : .process(connection.owner)
    let route = Route(sender: sender, receiver: receiver)
    send(message, on: connection, route)
    if mutation == .earlyConfirmation { confirmEarly(message, on: connection, route) }
  }

  private func send(_ message: MemoryMessage, on connection: ConnectionName, _ route: Route) {
    guard !network.isCut(route) else { return count(.partition) }
    switch fate?(message, route) ?? .undecided {
    case .undecided: break
    case .lost: return count(.lostMessage)
    case .late(let seconds):
      return transmit(message, connection, route, network.nextNumber(), after: seconds)
    }
    if isDisturbed, dice.happens(faults.dropProbability) { return count(.lostMessage) }
    let number = network.nextNumber()
    transmit(message, connection, route, number)
    guard isDisturbed, dice.happens(faults.duplicateProbability) else { return }
    count(message.isControl ? .repeatedControlMessage : .repeatedDataMessage)
    transmit(message, connection, route, number)
  }

  private func transmit(
    _ message: MemoryMessage, _ connection: ConnectionName, _ route: Route, _ number: UInt64,
    after seconds: Double? = nil
  ) {
    clock.after(
      seconds ?? delay(), .deliver(message, on: connection, route: route, number: number))
  }

  private func delay() -> Double {
    let isLate = isDisturbed && dice.happens(faults.delayProbability)
    return isLate ? dice.number(in: 0...faults.longDelay) : dice.number(in: 0.0002...0.002)
  }

  /// Delivers a message to a process.
  func deliver(
    _ message: MemoryMessage, on connection: ConnectionName, _ route: Route, _ number: UInt64,
    to process: SimulatedProcess
  ) {
    note(.delivered(message, from: route.sender, to: process.name))
    if network.isOvertaken(number, on: route) {
      count(message.isControl ? .overtakenControlMessage : .overtakenDataMessage)
    }
    var message = message
    if case .request(let request) = message {
      let server = process as? SimulatedServer
      let isRepeated = services.note(request, on: connection, of: server?.tables) > 1
      if let server {
        message = .request(mutated(request, for: server, isRepeated: isRepeated))
      }
    }
    process.take(.message(message, on: connection))
  }

  /// Checks an answer of a server: no request is answered more often than it arrived, none of
  /// another generation is granted, every gradient counts once, and sums are of all shards.
  func noteReply(_ reply: DataReply, on connection: ConnectionName, by server: SimulatedServer) {
    guard let mistake = services.note(reply, on: connection, of: server.tables) else { return }
    report("request \(reply.requestID) of \(connection.owner) to \(server.name) \(mistake)")
  }
}

/// What happens to a message that is sent.
package enum MessageFate {
  /// The random faults of the plan apply.
  case undecided
  case lost
  /// It arrives after so many seconds; no random fault applies.
  case late(Double)
}

extension MemoryMessage {
  /// Whether the coordinator sends or receives it.
  var isControl: Bool {
    switch self {
    case .node, .coordinator: true
    case .request, .reply: false
    }
  }
}
