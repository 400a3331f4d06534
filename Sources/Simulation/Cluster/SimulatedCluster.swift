import Coordinator
import Nodes
import ParameterServer
import Worker

/// A whole cluster on a virtual clock: processes, the network between them, a disk, a supervisor
/// that restarts what dies, and faults.
///
/// One thread, one queue of events, one seed: the same seed is the same history, event by event.
///
/// Tests make one with ``Simulation/cluster(_:_:consistency:faults:mutation:seed:trace:)``, run it
/// event by event or until a condition holds, decide the fate of single messages (``fate``), make
/// faults happen (``happen(_:)``), and inspect the state of its nodes.
package final class SimulatedCluster {
  /// What the queue holds.
  enum Event {
    case deliver(MemoryMessage, on: ConnectionName, route: Route, number: UInt64)
    case tick(ProcessName)
    case job(ProcessName, () -> Void)
    case start(Slot)
    case fault(Fault)
    case resume(ProcessName)
    case heal(UInt64)
    case freeDisk
    case repairDisk
    /// A manifest that a process has sent to an object store arrives there.
    case arrive(CheckpointCommit, from: ProcessName)
  }

  let problem: SimulationProblem
  let reference: Reference
  /// Whether this run is the one that others are compared with.
  let isReference: Bool
  let mutation: Mutation?
  let faults: FaultPlan
  package internal(set) var shape: ClusterShape
  /// The numbers of processes with which the run is resumed once it has stopped.
  var nextShape: ClusterShape?
  var clock = VirtualClock<Event>()
  var dice: Dice
  package internal(set) var disk = SimulatedDisk()
  var network = SimulatedNetwork()
  var services = ServiceLedger()
  var processes = ProcessTable()
  /// How many faults of a full disk are in force.
  var fullDisks = 0
  /// How many faults of an unreadable disk are in force.
  var unreadableDisks = 0
  /// The slots whose next process starts after its clock was set back.
  var setBackClocks: Set<Slot> = []
  /// The state of the coordinator in charge after its last checked event.
  var lastCoordinator: CoordinatorState?
  /// The tables that the last evaluation measured.
  var measured: Measured?
  package private(set) var violations: [String] = []
  /// How the run ended; nil until then.
  package internal(set) var outcome: RunOutcome?
  package private(set) var eventCount = 0
  /// How often each milestone was passed.
  var passes: [Milestone: Int] = [:]
  /// How often each effect was seen.
  package private(set) var effects: [Effect: Int] = [:]
  /// Lets a test decide what happens to a message; nil: the random faults of the plan apply.
  package var fate: ((_ message: MemoryMessage, _ route: Route) -> MessageFate)?
  /// Receives everything that happens, with its time.
  private let trace: ((Double, TraceEvent) -> Void)?

  static let tickInterval = 0.25
  /// A history that takes longer counts as hanging: seconds, and events.
  private static let longest = 4000.0
  private static let mostEvents = 2_000_000

  init(
    problem: SimulationProblem, shape: ClusterShape, reference: Reference, isReference: Bool,
    faults: FaultPlan, mutation: Mutation?, dice: Dice, trace: ((Double, TraceEvent) -> Void)? = nil
  ) {
    self.trace = trace
    self.problem = problem
    self.shape = shape
    self.reference = reference
    self.isReference = isReference
    self.faults = faults
    self.mutation = mutation
    self.dice = dice
  }

  /// Virtual seconds since the beginning.
  package var now: Double { clock.now }
  var isDiskFull: Bool { fullDisks > 0 }
  var isDiskUnreadable: Bool { unreadableDisks > 0 }

  /// Whether random faults still happen.
  var isDisturbed: Bool { now < faults.endsAt }

  // MARK: Running

  /// Runs the history to its end, or to the first violation.
  package func run() {
    while step() {}
  }

  /// Processes the next event.
  ///
  /// - Returns: false at the end of the history: the run has ended, or a rule was violated.
  package func step() -> Bool {
    if eventCount == 0 { plan() }
    guard outcome == nil, violations.isEmpty else { return false }
    guard let event = clock.next() else {
      report("no event is left, and the run has not ended")
      return false
    }
    eventCount += 1
    take(event)
    checkInvariants(after: event)
    if now > Self.longest || eventCount > Self.mostEvents {
      report("the run hangs: no end after \(Int(now)) s and \(eventCount) events")
    }
    return true
  }

  /// Runs until a condition holds.
  ///
  /// - Returns: false if the history ended before.
  package func run(until condition: (SimulatedCluster) -> Bool) -> Bool {
    while !condition(self) {
      guard step() else { return false }
    }
    return true
  }

  private func plan() {
    for slot in shape.slots { clock.after(dice.number(in: 0...0.5), .start(slot)) }
    for (time, fault) in faults.faults { clock.after(time, .fault(fault)) }
  }

  private func take(_ event: Event) {
    switch event {
    case .deliver(let message, let connection, let route, let number):
      guard let process = processes.receiver(of: route) else { return }
      if !processes.keep(event, for: process.name) {
        deliver(message, on: connection, route, number, to: process)
      }
    case .tick(let name):
      guard let process = processes[name] else { return }
      clock.after(Self.tickInterval, .tick(name))
      if !processes.isSuspended(name) { process.take(.tick) }
    case .job(let name, let job):
      guard let process = processes[name] else { return }
      if !processes.keep(event, for: name) { process.take(.job(job)) }
    case .start(let slot): start(slot)
    case .fault(let fault): happen(fault)
    case .resume(let name): resume(name)
    case .heal(let number): network.heal(number)
    case .freeDisk: fullDisks -= 1
    case .repairDisk: unreadableDisks -= 1
    case .arrive(let commit, let name): arrive(commit, from: name)
    }
  }

  private func checkInvariants(after event: Event) {
    let process: SimulatedProcess? =
      switch event {
      case .deliver(_, _, let route, _): processes.receiver(of: route)
      case .tick(let name), .job(let name, _), .resume(let name): processes[name]
      case .start, .fault, .heal, .freeDisk, .repairDisk, .arrive: nil
      }
    guard let process else { return }
    for broken in process.checkInvariants() { report("\(process.name): \(broken)") }
  }

  // MARK: Violations and effects

  func report(_ violation: String) {
    note(.violation(violation))
    violations.append("at \((now * 1000).rounded() / 1000) s: \(violation)")
  }

  func note(_ event: @autoclosure () -> TraceEvent) { trace?(now, event()) }

  /// Counts an effect.
  func count(_ effect: Effect) { effects[effect, default: 0] += 1 }

  // MARK: Nodes

  /// The state of the coordinator; nil while none lives.
  package var coordinator: CoordinatorState? {
    process(in: .coordinator, as: SimulatedCoordinator.self)?.node.state
  }

  /// The session of the server in a slot; nil while none lives.
  package func server(_ number: Int) -> ServerSession<ConnectionName>? {
    process(in: .server(number), as: SimulatedServer.self)?.node.session
  }

  /// The session of the worker in a slot; nil while none lives.
  package func worker(_ number: Int) -> WorkerSession? {
    process(in: .worker(number), as: SimulatedWorker.self)?.node.session
  }

  private func process<Kind: SimulatedProcess>(in slot: Slot, as kind: Kind.Type) -> Kind? {
    processes[slot].flatMap { processes[$0] as? Kind }
  }

  // MARK: Time

  /// Runs a job of a process later, if the process is still alive then.
  func later(_ seconds: Double, _ name: ProcessName, _ body: @escaping () -> Void) {
    clock.after(seconds, .job(name, body))
  }

  /// How long a job takes, `slow` seconds at most.
  func jobSeconds(slow: Double) -> Double {
    isDisturbed && dice.happens(0.2) ? dice.number(in: 0...slow) : dice.number(in: 0...0.05)
  }

  /// How long a worker computes between two messages, seconds.
  func stepSeconds() -> Double { dice.number(in: 0.001...faults.longestStep) }
}
