import Nodes
import Protocol

/// The network: it loses, repeats, holds up and reorders.
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

  /// A message has come to a process that takes it.
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
      let isRepeated = services.note(request, on: connection) > 1
      if let server = process as? SimulatedServer {
        message = .request(mutated(request, for: server, isRepeated: isRepeated))
      }
    }
    process.take(.message(message, on: connection))
  }

  /// A server answers: at most as often as it was asked, what is of its generation, and every
  /// gradient counts once.
  func noteReply(_ reply: DataReply, on connection: ConnectionName, by server: SimulatedServer) {
    guard let mistake = services.note(reply, on: connection, of: server.tables) else { return }
    report("request \(reply.requestID) of \(connection.owner) to \(server.name) \(mistake)")
  }
}

/// What becomes of a message that is sent.
package enum MessageFate {
  /// As the dice say.
  case undecided
  case lost
  /// It arrives after so many seconds, whatever the dice say.
  case late(Double)
}

extension MemoryMessage {
  /// Whether the coordinator has sent it or gets it.
  var isControl: Bool {
    switch self {
    case .node, .coordinator: true
    case .request, .reply: false
    }
  }
}
