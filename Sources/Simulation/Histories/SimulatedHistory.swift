import Tables

/// The history of a seed.
package struct SimulatedHistory: Sendable {
  package let seed: UInt64
  /// The rule that was broken on purpose.
  package let mutation: Mutation?
  package let problem: SimulationProblem.Kind
  package let consistency: SimulatedConsistency
  /// The numbers of processes at the start.
  package let shape: ClusterShape
  package let faults: FaultPlan
  /// The rules that were violated, in sentences; empty for a good history.
  package let violations: [String]
  package let eventCount: Int
  /// Virtual seconds until the end.
  package let seconds: Double
  /// One more than the number of rollbacks.
  package let generations: UInt64
  /// How many coordinators there were, one after the other.
  package let terms: UInt64
  /// How often each effect of a fault, or of the recovery from it, was seen.
  package let effects: [Effect: Int]

  /// The first violation and the command that replays the history, in two lines; nil for a good
  /// one.
  package var failure: String? {
    violations.first.map { "seed \(seed) failed \($0)\n  replay: \(replay)" }
  }

  /// The command that replays the history, event by event.
  package var replay: String {
    "scripts/simulate --seed \(seed) --trace"
      + (consistency == .bsp ? "" : " --consistency \(consistency.rawValue)")
      + (mutation.map { " --mutation \($0.rawValue)" } ?? "")
  }
}

/// How old rows may be in simulated runs.
package enum SimulatedConsistency: String, Sendable, CaseIterable {
  case bsp
  /// The bound is 1, 2 or 3, by the seed.
  case ssp
  case async

  func rule(seed: UInt64) -> Consistency {
    switch self {
    case .bsp: .bulkSynchronous
    case .ssp: .staleSynchronous(bound: 1 + seed % 3)
    case .async: .asynchronous
    }
  }
}

/// What a fault, or the recovery from it, did to a history.
///
/// A planned fault may have no effect: its victim may have ended already, or nothing may be under
/// way that it could disturb.
package enum Effect: String, Sendable, CaseIterable {
  case lostMessage = "a message is lost"
  case repeatedControlMessage = "a control message comes twice"
  case repeatedDataMessage = "a data message comes twice"
  case overtakenControlMessage = "a control message is overtaken by a later one"
  case overtakenDataMessage = "a data message is overtaken by a later one"
  case staleRows = "a worker gets rows of an earlier version"
  case partition = "a message is lost to a partition"
  case steppedDown = "a worker steps down because it cannot reach a server"
  case killedCoordinator = "the coordinator is killed"
  case killedServer = "a server is killed"
  case killedWorker = "a worker is killed"
  case killedWithinEvent = "a process is killed between two of its actions"
  case stoppedCoordinator = "the coordinator is paused and resumed"
  case stoppedServer = "a server is paused and resumed"
  case stoppedWorker = "a worker is paused and resumed"
  case twoCoordinators = "two coordinators live at the same time"
  case twoServers = "two servers live in the place of one"
  case twoWorkers = "two workers live in the place of one"
  case setBackClock = "a process starts after its clock was set back"
  case superseded = "a coordinator finds that another has taken over"
  case departure = "a worker leaves on request"
  case powerLoss = "all processes are killed at once"
  case pause = "the run is stopped and resumed"
  case rescaled = "the run resumes with other numbers of processes"
  case passedOver = "a damaged checkpoint is skipped"
  case lostDisk = "a server is lost with its disk"
  case lostCoordinatorDisk = "the coordinator is lost with its disk"
  case fetchedFile = "a server fetches its rows from another's disk"
  case fullDisk = "a checkpoint does not fit the disk"
  case unreadableDisk = "checkpoints cannot be read"
  case lateManifest = "a manifest arrives after its coordinator was killed"
  case restored = "the tables roll back to a checkpoint"
  case comparedBest = "a best model is compared with the measured one"
  case begunAnew = "the tables roll back to their initial values"
  case adopted = "a new coordinator adopts the servers' tables"
}
