import Messages

/// The network: it loses, repeats, holds up and reorders.
extension SimulatedCluster {
  /// To whoever fills a slot when the message comes.
  func send(_ parcel: Parcel, from sender: ProcessName, to slot: Slot) {
    send(parcel, on: Route(sender: sender, receiver: .slot(slot)))
  }

  func send(_ parcel: Parcel, from sender: ProcessName, to process: ProcessName) {
    send(parcel, on: Route(sender: sender, receiver: .process(process)))
  }

  /// To the process that gave itself this address.
  func send(_ parcel: Parcel, from sender: ProcessName, toEndpoint endpoint: String) {
    guard let name = processes.name(at: endpoint) else { return }
    send(parcel, from: sender, to: name)
    if sabotage == .earlyConfirmation { confirmEarly(parcel, from: sender, to: name) }
  }

  private func send(_ parcel: Parcel, on route: Route) {
    guard !network.isCut(route) else { return count(.partition) }
    if isDisturbed, dice.happens(faults.dropProbability) { return count(.lostMessage) }
    let number = network.nextNumber()
    transmit(parcel, route, number)
    guard isDisturbed, dice.happens(faults.duplicateProbability) else { return }
    count(parcel.isControl ? .repeatedControlMessage : .repeatedDataMessage)
    transmit(parcel, route, number)
  }

  private func transmit(_ parcel: Parcel, _ route: Route, _ number: UInt64) {
    let isLate = isDisturbed && dice.happens(faults.delayProbability)
    let delay =
      isLate ? dice.number(in: 0...faults.longDelay) : dice.number(in: 0.0002...0.002)
    clock.after(delay, .deliver(parcel, route: route, number: number))
  }

  /// A message has come to a process that takes it.
  func deliver(
    _ parcel: Parcel, _ route: Route, _ number: UInt64, to process: any SimulatedProcess
  ) {
    note("\(route.sender) -> \(process.name): \(parcel)")
    if network.isOvertaken(number, on: route) {
      count(parcel.isControl ? .overtakenControlMessage : .overtakenDataMessage)
    }
    var parcel = parcel
    if case .request(let request, let connection) = parcel {
      let isRepeated = services.note(request, on: connection) > 1
      if let server = process as? SimulatedServer {
        parcel = .request(
          sabotaged(request, for: server, isRepeated: isRepeated), connection: connection)
      }
    }
    process.received(parcel, from: route.sender, in: self)
  }

  /// A server answers: at most as often as it was asked, what is of its generation, and every
  /// gradient counts once.
  func noteReply(_ reply: DataReply, on connection: ConnectionName, by server: SimulatedServer) {
    guard let mistake = services.note(reply, on: connection, of: server.tables) else { return }
    report("request \(reply.requestID) of \(connection.owner) to \(server.name) \(mistake)")
  }
}
