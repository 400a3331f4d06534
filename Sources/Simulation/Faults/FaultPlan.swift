/// Everything that goes wrong in a simulated history.
package struct FaultPlan: Sendable {
  /// Per message, until ``endsAt``.
  package var dropProbability = 0.0
  package var duplicateProbability = 0.0
  /// Of being delayed by up to `longDelay` seconds, so that later messages overtake this one.
  package var delayProbability = 0.0
  package var longDelay = 0.5
  /// The longest time that a worker computes between two messages, seconds.
  package var longestStep = 0.03
  /// How long it takes at most until a process that ended is started again, seconds.
  package var longestRestart = 2.0
  /// How long after its time a request arrives that a killed process had sent to an object store,
  /// seconds. 0: checkpoints are files, and what was not written before the kill never is.
  package var longestArrival = 0.0
  /// On how many servers' disks the rows of each are; 1: there is one disk for all.
  package var copies: UInt32 = 1
  /// In any order.
  package var ambushes: [Ambush] = []
  /// By time, seconds.
  package var faults: [(time: Double, fault: Fault)] = []
  /// When faults end, seconds.
  package var endsAt = 0.0

  /// Nothing goes wrong.
  package static let none = FaultPlan()

  /// A random plan for a cluster of this shape.
  static func random(_ shape: ClusterShape, dice: inout Dice) -> FaultPlan {
    var plan = FaultPlan()
    plan.endsAt = dice.number(in: 5...60)
    // Slow steps, because a run that ends before its first fault shows nothing.
    plan.longestStep = dice.element(of: [0.03, 0.3, 1])
    plan.dropProbability = dice.element(of: [0, 0, 0.01, 0.05])
    plan.duplicateProbability = dice.element(of: [0, 0.02, 0.1])
    plan.delayProbability = dice.element(of: [0, 0.02, 0.1])
    plan.longDelay = dice.element(of: [0.05, 0.5, 4])
    for _ in 0..<dice.integer(in: 0...10) {
      plan.faults.append((dice.number(in: 0...plan.endsAt), fault(shape, &dice)))
    }
    plan.faults.sort { $0.time < $1.time }
    for _ in 0..<dice.integer(in: 0...3) { plan.ambushes.append(ambush(shape, &dice)) }
    // From a copy, so that all other numbers of a seed stay what they were.
    var copy = dice
    plan.longestArrival = copy.element(of: [0, 0, 0.5, 4])
    if shape.servers > 1, copy.happens(0.3) { plan.keepCopies(shape, &copy) }
    return plan
  }

  /// Every server has a disk of its own, and one of them is lost. Only one: two disks may well have
  /// both copies of a file.
  private mutating func keepCopies(_ shape: ClusterShape, _ dice: inout Dice) {
    copies = 2
    longestArrival = 0
    let slot =
      dice.happens(0.5) ? Slot.coordinator : .server(dice.integer(in: 0...shape.servers - 1))
    let loss = Fault.loseDisk(slot)
    ambushes.append(
      Ambush(
        milestone: .commit, passes: dice.integer(in: 0...4),
        delay: dice.element(of: [0, 0.01, 0.1, 1]), fault: loss))
  }

  private static func ambush(_ shape: ClusterShape, _ dice: inout Dice) -> Ambush {
    Ambush(
      milestone: dice.element(of: Milestone.allCases), passes: dice.integer(in: 0...3),
      delay: dice.element(of: [0, 0.001, 0.01, 0.1, 1]), fault: fault(shape, &dice))
  }

  private static func fault(_ shape: ClusterShape, _ dice: inout Dice) -> Fault {
    let slot = dice.element(of: shape.slots)
    let seconds = dice.element(of: [0.3, 2, 8, 25])
    switch dice.integer(in: 0...17) {
    case 0...3: return .kill(slot)
    case 4, 5: return .killWithinEvent(slot, actions: dice.integer(in: 0...3))
    case 6: return .stop(slot, seconds: seconds)
    case 7: return .replaceStopped(slot, seconds: seconds)
    case 8:
      let worker = dice.integer(in: 0...shape.workers - 1)
      return .terminate(.worker(worker))
    case 9:
      let direction = dice.integer(in: 0...2)
      return .cutOff(
        slot, sending: direction != 1, receiving: direction != 0, seconds: seconds)
    case 10: return .damageCheckpoint
    case 11: return .powerLoss(.random(&dice))
    case 12: return .pause(.random(&dice))
    case 13: return .fullDisk(seconds: seconds)
    case 14: return .unreadableDisk(seconds: seconds)
    case 15: return .setBackClock(slot)
    default: return partition(shape, &dice)
    }
  }

  /// Cuts the link between a worker and a server, one way or both ways, perhaps for longer than the
  /// rest of the run takes without them.
  private static func partition(_ shape: ClusterShape, _ dice: inout Dice) -> Fault {
    let worker = Slot.worker(dice.integer(in: 0...shape.workers - 1))
    let server = Slot.server(dice.integer(in: 0...shape.servers - 1))
    let seconds: Double = dice.element(of: [2, 8, 25, 100])
    let direction = dice.integer(in: 0...2)
    return direction == 0
      ? .part(server, from: worker, bothWays: false, seconds: seconds)
      : .part(worker, from: server, bothWays: direction == 2, seconds: seconds)
  }
}

/// Something that goes wrong at one moment.
package enum Fault: Sendable, Hashable {
  /// `kill -9`, at once.
  case kill(Slot)
  /// `kill -9` after the process has performed this many of the actions of its next event.
  case killWithinEvent(Slot, actions: Int)
  /// SIGSTOP, and SIGCONT after so many seconds.
  case stop(Slot, seconds: Double)
  /// SIGSTOP; another process is started in its place, and then the first gets SIGCONT.
  case replaceStopped(Slot, seconds: Double)
  /// `kill -9`. The clock of the replacement's machine was set back, so that the replacement seems
  /// to have started first.
  case setBackClock(Slot)
  /// SIGTERM.
  case terminate(Slot)
  /// Messages from the slot are lost, or messages to it, or both.
  case cutOff(Slot, sending: Bool, receiving: Bool, seconds: Double)
  /// Messages from one slot to another are lost, or in both directions; all other links work.
  case part(Slot, from: Slot, bothWays: Bool, seconds: Double)
  /// A server loses the connections of a worker, with all requests that wait on them. The worker is
  /// not notified: its next requests are refused until it greets the server again.
  case forget(Slot, at: Slot)
  /// Every process is killed; the same command resumes the run, perhaps with other numbers of
  /// processes.
  case powerLoss(ClusterShape)
  /// The run is asked to stop, and resumed later, perhaps with other numbers of processes.
  case pause(ClusterShape)
  /// A file of the newest checkpoint is damaged.
  case damageCheckpoint
  /// `kill -9` of a server or the coordinator, whose disk is lost too. The replacement has an empty
  /// one.
  case loseDisk(Slot)
  /// All copies of a file of the newest checkpoint are damaged, and a server is killed.
  case damageCopies(Slot)
  /// Writing checkpoints fails for a while.
  case fullDisk(seconds: Double)
  /// Reading checkpoints fails for a while, undamaged ones as well.
  case unreadableDisk(seconds: Double)
}

/// A moment of a run at which a fault does most harm.
package enum Milestone: String, Sendable, CaseIterable {
  /// The coordinator is about to announce a new generation.
  case recovery
  /// A server begins to make or restore its tables.
  case preparation
  /// All servers have written their rows; the manifest is not written yet.
  case commit
  /// The coordinator begins to read the best model from the servers.
  case saving
  /// An epoch is recorded.
  case epochEnd
  /// An evaluation is recorded.
  case evaluation
  /// The coordinator asks the servers to hold their version, because the run stops.
  case stop
}

/// A fault that waits for a milestone.
package struct Ambush: Sendable {
  package var milestone: Milestone
  /// How often processes pass the milestone before the fault happens.
  package var passes: Int
  /// From the milestone to the fault, seconds.
  package var delay: Double
  package var fault: Fault

  package init(milestone: Milestone, passes: Int, delay: Double, fault: Fault) {
    self.milestone = milestone
    self.passes = passes
    self.delay = delay
    self.fault = fault
  }
}
