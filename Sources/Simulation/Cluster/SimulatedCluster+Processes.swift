import Coordinator
import Protocol

/// The supervisor: starts the processes that are missing, and records how processes end.
extension SimulatedCluster {
  /// Starts a process in a slot, if the slot is empty and the cluster still has it.
  func start(_ slot: Slot) {
    guard shape.slots.contains(slot), processes[slot] == nil else { return }
    let name = processes.nextName(in: slot)
    let isClockSetBack = setBackClocks.remove(slot) != nil
    if isClockSetBack { count(.setBackClock) }
    let incarnation = name.incarnation(isClockSetBack: isClockSetBack)
    do {
      let process: SimulatedProcess =
        switch slot {
        case .coordinator: SimulatedCoordinator(name, try beginTerm(), in: self)
        case .server: SimulatedServer(name, .server, incarnation: incarnation, in: self)
        case .worker: SimulatedWorker(name, incarnation: incarnation, in: self)
        }
      note(.started(name))
      processes.add(process)
      clock.after(dice.number(in: 0...Self.tickInterval), .tick(name))
      process.take(.start)
    } catch {
      report("\(name) cannot start: \(error)")
    }
  }

  /// The state with which a coordinator starts, under a term that is recorded first.
  private func beginTerm() throws -> CoordinatorState {
    guard disk.run != nil else {
      let state = try CoordinatorState(plan: problem.plan(shape, term: 1, copies: faults.copies))
      disk.begin(state.progress)
      return state
    }
    let term = disk.raiseTerm()
    let point = disk.run.map { ResumePoint($0) }
    return try CoordinatorState(
      plan: problem.plan(shape, term: term, copies: faults.copies), resuming: point)
  }

  /// A process has left the run and ended.
  func left(_ name: ProcessName, _ departure: Departure) {
    // Of two processes in one slot, one is dismissed; their clocks decide which.
    if processes.isCurrent(name), processes.count(in: name.slot) == 1 {
      switch departure {
      case .permanent(let message): report("\(name) failed permanently: \(message)")
      // Nodes do not rejoin after `finish`, so the end must be on record before it is sent.
      case .finished(let message)
      where !processes.isDismissed(name) && message != disk.run?.message:
        report("\(name) was dismissed before the run ended: \(message)")
      case .finished, .transient: break
      }
    }
    remove(name)
  }

  /// A coordinator reports the end of the run.
  func ended(_ outcome: RunOutcome, by name: ProcessName) {
    guard processes.isCurrent(name) else { return remove(name) }
    if case .interrupted = outcome.ending, let shape = nextShape {
      count(.pause)
      return startAgain(shape)
    }
    self.outcome = outcome
  }

  /// Kills all processes and starts new ones, which find what is on the disk.
  func startAgain(_ shape: ClusterShape) {
    if shape != self.shape { count(.rescaled) }
    nextShape = nil
    self.shape = shape
    processes.removeAll()
    for slot in shape.slots { startLater(slot) }
  }

  /// `kill -9`.
  func kill(_ name: ProcessName) {
    switch name.slot {
    case .coordinator: count(.killedCoordinator)
    case .server: count(.killedServer)
    case .worker: count(.killedWorker)
    }
    remove(name)
  }

  private func remove(_ name: ProcessName) {
    note(.ended(name))
    if processes.remove(name) { startLater(name.slot) }
  }

  private func startLater(_ slot: Slot) {
    clock.after(dice.number(in: 0.1...faults.longestRestart), .start(slot))
  }
}
