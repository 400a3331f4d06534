/// The living processes, including those that another has replaced, and the events that wait for
/// suspended ones.
struct ProcessTable {
  private var living: [ProcessName: SimulatedProcess] = [:]
  /// The process in each slot.
  private var current: [Slot: ProcessName] = [:]
  private var lives: [Slot: Int] = [:]
  /// Every process that ever lived, by its address.
  private var addresses: [String: ProcessName] = [:]
  /// The events that wait for suspended processes.
  private var suspended: [ProcessName: [SimulatedCluster.Event]] = [:]
  /// Processes that a fault kills after so many actions of their next event.
  private var killedAfter: [ProcessName: Int] = [:]
  /// Processes that received SIGTERM.
  private var dismissed: Set<ProcessName> = []

  subscript(name: ProcessName) -> SimulatedProcess? { living[name] }

  subscript(slot: Slot) -> ProcessName? { current[slot] }

  /// All living servers, in no order.
  var servers: [SimulatedServer] { living.values.compactMap { $0 as? SimulatedServer } }

  func isCurrent(_ name: ProcessName) -> Bool { current[name.slot] == name }

  /// The process that receives a message; nil if none does.
  func receiver(of route: Route) -> SimulatedProcess? {
    switch route.receiver {
    case .slot(let slot): current[slot].flatMap { living[$0] }
    case .process(let name): living[name]
    }
  }

  /// The process that has, or had, this address.
  func name(at endpoint: String) -> ProcessName? { addresses[endpoint] }

  /// How many processes of a slot live.
  func count(in slot: Slot) -> Int { living.keys.count { $0.slot == slot } }

  // MARK: Starting and ending

  /// The name of the next process of a slot.
  mutating func nextName(in slot: Slot) -> ProcessName {
    defer { lives[slot, default: 0] += 1 }
    return ProcessName(slot: slot, life: lives[slot, default: 0])
  }

  mutating func add(_ process: SimulatedProcess) {
    living[process.name] = process
    addresses[process.name.endpoint] = process.name
    current[process.name.slot] = process.name
  }

  /// - Returns: whether this emptied its slot.
  mutating func remove(_ name: ProcessName) -> Bool {
    living[name] = nil
    suspended[name] = nil
    killedAfter[name] = nil
    guard current[name.slot] == name else { return false }
    current[name.slot] = nil
    return true
  }

  mutating func removeAll() {
    living = [:]
    suspended = [:]
    killedAfter = [:]
    current = [:]
  }

  /// Lets another process take the slot while the present one stays alive.
  mutating func vacate(_ slot: Slot) { current[slot] = nil }

  // MARK: Suspending

  func isSuspended(_ name: ProcessName) -> Bool { suspended[name] != nil }

  /// - Returns: false if it is suspended already.
  mutating func suspend(_ name: ProcessName) -> Bool {
    guard suspended[name] == nil else { return false }
    suspended[name] = []
    return true
  }

  /// The events that waited, in order of arrival; nil if the process is not suspended.
  mutating func resume(_ name: ProcessName) -> [SimulatedCluster.Event]? {
    suspended.removeValue(forKey: name)
  }

  /// Keeps an event for a suspended process.
  ///
  /// - Returns: false if the process is not suspended.
  mutating func keep(_ event: SimulatedCluster.Event, for name: ProcessName) -> Bool {
    guard suspended[name] != nil else { return false }
    suspended[name]?.append(event)
    return true
  }

  mutating func dismiss(_ name: ProcessName) { dismissed.insert(name) }

  func isDismissed(_ name: ProcessName) -> Bool { dismissed.contains(name) }

  // MARK: Kills within an event

  mutating func kill(_ name: ProcessName, after actions: Int) { killedAfter[name] = actions }

  /// Whether a fault kills the process before the action of this number.
  func isDue(_ name: ProcessName, before action: Int) -> Bool {
    killedAfter[name].map { action >= $0 } ?? false
  }
}
