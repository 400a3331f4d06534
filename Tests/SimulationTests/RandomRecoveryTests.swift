import Coordinator
import Simulation
import TestSupport
import Testing

/// Runs in which something is lost again and again, often before the last loss is repaired. The
/// histories of ``SimulationTests`` have more kinds of faults, and fewer of them.
@Suite struct RandomRecoveryTests {
  private static let shape = ClusterShape(workers: 3, servers: 2)
  /// Epochs without an evaluation among others.
  private static let length = SimulationProblem.Length(epochs: 6, evaluationInterval: 2)

  /// What must be seen in some of the histories.
  private static let expectedEffects: [Effect] = [
    .killedCoordinator, .killedServer, .killedWorker, .stoppedCoordinator, .stoppedServer,
    .stoppedWorker, .twoCoordinators, .twoServers, .twoWorkers, .superseded, .setBackClock,
    .powerLoss, .pause, .passedOver, .fullDisk, .unreadableDisk, .lostMessage, .restored,
    .begunAnew, .adopted, .comparedBest,
  ]

  /// What a run has shown.
  private struct Shown {
    var epochs: [UInt32] = []
    var evaluations: [UInt32] = []
    var recoveryCount = 0
    var adoptionCount = 0

    mutating func add(_ event: TraceEvent) {
      switch event {
      case .recorded(let record, _):
        switch record.change {
        case .epochFinished(let summary): epochs.append(summary.epoch)
        case .evaluated(let summary): evaluations.append(summary.epoch)
        default: break
        }
      case .reported(.recovering, _): recoveryCount += 1
      case .reported(.resumed(_, _, .adoption), _): adoptionCount += 1
      default: break
      }
    }
  }

  /// Where what a run shows is collected.
  private final class Record {
    var shown = Shown()
  }

  /// Many losses, which the seed decides.
  private static func losses(seed: UInt64) -> FaultPlan {
    var random = SeededGenerator(seed: seed, counter: 0)
    var plan = FaultPlan.none
    // Some losses repair what others broke, so many runs have few.
    plan.endsAt = seed % 4 == 0 ? 400 : Double(seed % 40)
    plan.dropProbability = seed % 2 == 0 ? 0.1 : 0
    plan.longestStep = 1
    plan.longestRestart = [2, 5, 20][Int(seed / 3 % 3)]
    let rate = [0.05, 0.15, 0.4][Int(seed % 3)]
    var time = 0.0
    while time < plan.endsAt {
      time += 0.1
      guard Double.random(in: 0..<1, using: &random) < rate * 0.1 else { continue }
      plan.faults.append((time, fault(&random)))
    }
    return plan
  }

  private static func fault(_ random: inout SeededGenerator) -> Fault {
    let members =
      (0..<shape.servers).map { Slot.server($0) } + (0..<shape.workers).map { Slot.worker($0) }
    let member = random.element(of: members)
    switch random.below(10) {
    case 0, 1: return .kill(.coordinator)
    // All processes end, and the same command is given again.
    case 2: return .pause(shape)
    case 3: return .powerLoss(shape)
    case 4: return .damageCheckpoint
    case 5:
      let slot = random.element(of: members + [.coordinator])
      let seconds = Double(random.below(30))
      // Some are replaced although they are only stopped.
      return random.oneIn(3)
        ? .replaceStopped(slot, seconds: seconds) : .stop(slot, seconds: seconds)
    case 6: return .unreadableDisk(seconds: Double(random.below(10)))
    case 7: return .fullDisk(seconds: Double(random.below(10)))
    default: return random.oneIn(5) ? .setBackClock(member) : .kill(member)
    }
  }

  @Test("whatever is lost and when, runs end with the records of the undisturbed run")
  func randomLosses() throws {
    let simulation = Simulation()
    var recoveryCount = 0
    var adoptionCount = 0
    var effects: [Effect: Int] = [:]
    var undisturbed: [SimulationProblem.Kind: RunOutcome] = [:]
    for seed in 0..<300 as Range<UInt64> {
      // Rounds per step: one, and two.
      let kind: SimulationProblem.Kind = seed % 5 < 3 ? .bpr : .mrdib
      let isCalm = undisturbed[kind] == nil
      let record = Record()
      let cluster = try simulation.cluster(
        kind, Self.shape, length: Self.length, faults: isCalm ? .none : Self.losses(seed: seed),
        seed: seed
      ) { _, event in record.shown.add(event) }
      cluster.run()
      let differences = try simulation.differences(of: cluster)
      #expect(differences == [], "seed \(seed)")
      guard cluster.violations.isEmpty else { return }
      // Each is recorded once, also if it was trained twice.
      #expect(record.shown.epochs == [0, 1, 2, 3, 4, 5], "seed \(seed)")
      #expect(record.shown.evaluations == [1, 3, 5], "seed \(seed)")
      if isCalm {
        #expect(record.shown.recoveryCount == 0)
        undisturbed[kind] = cluster.outcome
      }
      #expect(cluster.outcome == undisturbed[kind], "seed \(seed)")
      recoveryCount += record.shown.recoveryCount
      adoptionCount += record.shown.adoptionCount
      effects.merge(cluster.effects) { $0 + $1 }
    }
    // The losses must have had effects.
    #expect(recoveryCount > 1200)
    #expect(adoptionCount > 400)
    for effect in Self.expectedEffects {
      #expect((effects[effect] ?? 0) > 10, "\(effect.rawValue): \(effects[effect] ?? 0) times")
    }
  }
}
