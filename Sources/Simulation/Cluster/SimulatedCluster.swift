import Coordination

/// A whole cluster on a virtual clock: processes, the network between them, disks, a supervisor
/// that starts again what dies, and everything that goes wrong.
///
/// One thread, one queue of events, one seed: the same seed is the same history, event by event.
final class SimulatedCluster {
  /// What can happen next.
  enum Event {
    case deliver(Parcel, route: Route, number: UInt64)
    case tick(ProcessName)
    case job(ProcessName, () -> Void)
    case start(Slot)
    case fault(Fault)
    case goOn(ProcessName)
    case heal(UInt64)
    case emptyDisk
    case mendDisk
  }

  let problem: SimulationProblem
  let reference: Reference
  /// Whether this run is the one that others are compared with.
  let isReference: Bool
  let sabotage: Sabotage?
  let faults: FaultPlan
  var shape: ClusterShape
  /// What the run goes on with when it has stopped.
  var nextShape: ClusterShape?
  var clock = VirtualClock<Event>()
  var dice: Dice
  var disk = SimulatedDisk()
  var network = SimulatedNetwork()
  var services = ServiceLedger()
  var processes = ProcessTable()
  /// How many things fill the disk.
  var fullDisks = 0
  /// How many things keep checkpoints from being read.
  var unreadableDisks = 0
  /// Where the next process is started by a clock that was set back.
  var setBackClocks: Set<Slot> = []
  /// The tables that the last evaluation was of.
  var measured: Measured?
  private(set) var violations: [String] = []
  var outcome: RunOutcome?
  private(set) var eventCount = 0
  /// How often each milestone was passed.
  var passes: [Milestone: Int] = [:]
  /// How often what was planned took effect.
  private(set) var effects: [Effect: Int] = [:]
  /// Told of everything that happens, for people who replay a seed.
  private let trace: ((String) -> Void)?

  static let tickInterval = 0.25
  /// A history that takes longer hangs: seconds, and events.
  private static let longest = 4000.0
  private static let mostEvents = 2_000_000

  init(
    problem: SimulationProblem, shape: ClusterShape, reference: Reference, isReference: Bool,
    faults: FaultPlan, sabotage: Sabotage?, dice: Dice, trace: ((String) -> Void)? = nil
  ) {
    self.trace = trace
    self.problem = problem
    self.shape = shape
    self.reference = reference
    self.isReference = isReference
    self.faults = faults
    self.sabotage = sabotage
    self.dice = dice
  }

  var now: Double { clock.now }
  var isDiskFull: Bool { fullDisks > 0 }
  var isDiskUnreadable: Bool { unreadableDisks > 0 }

  /// Whether things still go wrong.
  var isDisturbed: Bool { now < faults.endsAt }

  /// Runs the history to its end, or to the first thing that must not be.
  func run() {
    for slot in shape.slots { clock.after(dice.number(in: 0...0.5), .start(slot)) }
    for (time, fault) in faults.faults { clock.after(time, .fault(fault)) }
    while outcome == nil, violations.isEmpty, let event = clock.next() {
      eventCount += 1
      take(event)
      checkInvariants(after: event)
      if now > Self.longest || eventCount > Self.mostEvents {
        report("the run hangs: no end after \(Int(now)) s and \(eventCount) events")
      }
    }
    if outcome == nil, violations.isEmpty { report("nothing happens any more") }
    // Planned jobs hold processes, and those hold the cluster.
    clock.cancelAll()
    processes = ProcessTable()
  }

  private func take(_ event: Event) {
    switch event {
    case .deliver(let parcel, let route, let number):
      guard let process = processes.receiver(of: route) else { return }
      if !processes.keep(event, for: process.name) {
        deliver(parcel, route, number, to: process)
      }
    case .tick(let name):
      guard let process = processes[name] else { return }
      clock.after(Self.tickInterval, .tick(name))
      if !processes.isFrozen(name) { process.ticked(in: self) }
    case .job(let name, let job):
      guard processes[name] != nil else { return }
      if !processes.keep(event, for: name) { job() }
    case .start(let slot): start(slot)
    case .fault(let fault): happen(fault)
    case .goOn(let name): goOn(name)
    case .heal(let number): network.heal(number)
    case .emptyDisk: fullDisks -= 1
    case .mendDisk: unreadableDisks -= 1
    }
  }

  private func checkInvariants(after event: Event) {
    let process: (any SimulatedProcess)? =
      switch event {
      case .deliver(_, let route, _): processes.receiver(of: route)
      case .tick(let name), .job(let name, _), .goOn(let name): processes[name]
      case .start, .fault, .heal, .emptyDisk, .mendDisk: nil
      }
    guard let process else { return }
    for broken in process.brokenInvariants { report("\(process.name): \(broken)") }
  }

  // MARK: Notes

  func report(_ violation: String) {
    note("VIOLATION \(violation)")
    violations.append("at \((now * 1000).rounded() / 1000) s: \(violation)")
  }

  /// A line of the trace.
  func note(_ text: @autoclosure () -> String) {
    trace?("\((now * 1000).rounded() / 1000)  \(text())")
  }

  /// Counts what took effect.
  func count(_ effect: Effect) { effects[effect, default: 0] += 1 }

  // MARK: Time

  /// Does something on behalf of a process later, if it still lives.
  func later(_ seconds: Double, _ name: ProcessName, _ body: @escaping () -> Void) {
    clock.after(seconds, .job(name, body))
  }

  /// How long something on a disk takes, `slow` seconds at most.
  func jobSeconds(slow: Double) -> Double {
    isDisturbed && dice.happens(0.2) ? dice.number(in: 0...slow) : dice.number(in: 0...0.05)
  }

  /// How long a worker computes before it has to ask or to tell somebody.
  func stepSeconds() -> Double { dice.number(in: 0.001...faults.longestStep) }
}
