import Coordinator

/// Faults, and how they end.
extension SimulatedCluster {
  /// A process passes a milestone, for which faults may wait.
  func pass(_ milestone: Milestone) {
    for ambush in faults.ambushes
    where ambush.milestone == milestone && ambush.passes == passes[milestone, default: 0]
      && isDisturbed
    {
      clock.after(ambush.delay, .fault(ambush.fault))
    }
    passes[milestone, default: 0] += 1
  }

  /// Makes a fault happen now.
  package func happen(_ fault: Fault) {
    note(.fault(fault))
    switch fault {
    case .kill(let slot): if let name = processes[slot] { kill(name) }
    case .killWithinEvent(let slot, let actions):
      if let name = processes[slot] { processes.kill(name, after: actions) }
    case .stop(let slot, let seconds):
      if let name = processes[slot] { stop(name, seconds: seconds) }
    case .replaceStopped(let slot, let seconds):
      guard let name = processes[slot] else { return }
      stop(name, seconds: seconds)
      processes.vacate(slot)
      clock.after(0.1, .start(slot))
    case .setBackClock(let slot):
      guard let name = processes[slot] else { return }
      // The clocks of coordinators do not matter: the record counts their terms.
      if slot != .coordinator { setBackClocks.insert(slot) }
      kill(name)
    case .terminate(let slot):
      guard let name = processes[slot] else { return }
      count(.departure)
      processes.dismiss(name)
      processes[name]?.take(.stop)
    case .cutOff(let slot, let sending, let receiving, let seconds):
      clock.after(
        seconds, .heal(network.cutOff(slot, sending: sending, receiving: receiving)))
    case .part(let slot, let other, let bothWays, let seconds):
      let cut = network.partition(slot, from: other, bothWays: bothWays)
      clock.after(seconds, .heal(cut))
    case .forget(let slot, let server):
      guard let worker = processes[slot].flatMap({ processes[$0] }), let name = processes[server],
        let server = processes[name] as? SimulatedServer, !processes.isSuspended(name)
      else { return }
      server.forget(worker.connections(to: name))
    case .powerLoss(let shape):
      count(.powerLoss)
      startAgain(keepingDisks(shape))
    case .pause(let shape):
      guard let name = processes[.coordinator] else { return }
      nextShape = keepingDisks(shape)
      processes[name]?.take(.stop)
    case .damageCheckpoint:
      // A damaged copy is as good as none, and only one copy of a file may be lost.
      if faults.copies == 1 { disk.damageNewest() }
    case .damageCopies(let slot):
      disk.damageCopies()
      if let name = processes[slot] { kill(name) }
    case .loseDisk(.coordinator):
      // Before the first checkpoint nothing is copied: the run begins again, as another one.
      guard disk.hasCheckpoints else { return happen(.kill(.coordinator)) }
      count(.lostCoordinatorDisk)
      if let name = processes[.coordinator] { kill(name) }
      lastCoordinator = nil
      if let lost = disk.loseRecords() {
        report("the loss of the coordinator's disk loses \(lost)")
      }
    case .loseDisk(let slot):
      count(.lostDisk)
      if let name = processes[slot] { kill(name) }
      if let lost = disk.lose(slot) {
        report("the loss of one disk, that of \(slot), loses files of the checkpoint \(lost)")
      }
    case .fullDisk(let seconds):
      fullDisks += 1
      clock.after(seconds, .freeDisk)
    case .unreadableDisk(let seconds):
      unreadableDisks += 1
      clock.after(seconds, .repairDisk)
    }
  }

  /// Without a common disk, a run needs the machines that have its checkpoints.
  private func keepingDisks(_ shape: ClusterShape) -> ClusterShape {
    guard faults.copies > 1 else { return shape }
    return ClusterShape(workers: shape.workers, servers: self.shape.servers)
  }

  private func stop(_ name: ProcessName, seconds: Double) {
    if processes.suspend(name) { clock.after(seconds, .resume(name)) }
  }

  /// SIGCONT.
  func resume(_ name: ProcessName) {
    guard let waiting = processes.resume(name) else { return }
    countReturn(of: name)
    // Buffers kept what arrived meanwhile; the process handles it before anything new.
    for event in waiting {
      guard let process = processes[name], outcome == nil else { return }
      switch event {
      case .deliver(let message, let connection, let route, let number):
        deliver(message, on: connection, route, number, to: process)
      case .job(_, let job): process.take(.job(job))
      case .tick, .start, .fault, .resume, .heal, .freeDisk, .repairDisk, .arrive: break
      }
    }
  }

  /// A process has sent a manifest to the object store: it arrives even if the process is killed.
  ///
  /// - Parameter seconds: until the answer arrives at a process that lives.
  func sent(_ commit: CheckpointCommit, from name: ProcessName, for seconds: Double) {
    guard faults.longestArrival > 0 else { return }
    clock.after(seconds + faults.longestArrival, .arrive(commit, from: name))
  }

  /// Processes that live write their manifests themselves; see `SimulatedCoordinator`.
  func arrive(_ commit: CheckpointCommit, from name: ProcessName) {
    guard processes[name] == nil, disk.arrive(commit) else { return }
    count(.lateManifest)
    note(.wrote("the manifest of version \(commit.version), after its end", by: name))
  }

  private func countReturn(of name: ProcessName) {
    let isReplaced = processes.count(in: name.slot) > 1
    switch name.slot {
    case .coordinator: count(isReplaced ? .twoCoordinators : .stoppedCoordinator)
    case .server: count(isReplaced ? .twoServers : .stoppedServer)
    case .worker: count(isReplaced ? .twoWorkers : .stoppedWorker)
    }
  }
}
