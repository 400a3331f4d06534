/// Everything that goes wrong in a simulated history.
package struct FaultPlan: Sendable {
  /// Of every message, while faults last.
  package var dropProbability = 0.0
  package var duplicateProbability = 0.0
  /// Of being held up by `longDelay` seconds, and so overtaken by others.
  package var delayProbability = 0.0
  package var longDelay = 0.5
  /// How long a worker computes at most before it has to ask or to tell somebody, seconds.
  package var longestStep = 0.03
  /// How long it takes at most until a process that ended is started again, seconds.
  package var longestRestart = 2.0
  /// In any order.
  package var ambushes: [Ambush] = []
  /// By time, seconds.
  package var faults: [(time: Double, fault: Fault)] = []
  /// When everything works again.
  package var endsAt = 0.0

  /// Nothing goes wrong.
  package static let none = FaultPlan()

  /// What the dice say for a cluster of this shape.
  static func random(_ shape: ClusterShape, dice: inout Dice) -> FaultPlan {
    var plan = FaultPlan()
    plan.endsAt = dice.number(in: 5...60)
    // Runs that end before anything goes wrong show nothing.
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
    return plan
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
    default: return part(shape, &dice)
    }
  }

  /// A worker and a server that do not hear each other, or one does not hear the other, perhaps for
  /// longer than the rest of the run takes without them.
  private static func part(_ shape: ClusterShape, _ dice: inout Dice) -> Fault {
    let worker = Slot.worker(dice.integer(in: 0...shape.workers - 1))
    let server = Slot.server(dice.integer(in: 0...shape.servers - 1))
    let seconds: Double = dice.element(of: [2, 8, 25, 100])
    let direction = dice.integer(in: 0...2)
    return direction == 0
      ? .part(server, from: worker, bothWays: false, seconds: seconds)
      : .part(worker, from: server, bothWays: direction == 2, seconds: seconds)
  }
}
