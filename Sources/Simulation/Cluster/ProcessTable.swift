/// The processes that live, also those that another has replaced, and what waits for those that
/// are stopped.
struct ProcessTable {
  private var living: [ProcessName: SimulatedProcess] = [:]
  /// Who fills each slot now.
  private var current: [Slot: ProcessName] = [:]
  private var lives: [Slot: Int] = [:]
  /// Every process that ever lived, by its address.
  private var addresses: [String: ProcessName] = [:]
  /// What waits for processes that are stopped.
  private var frozen: [ProcessName: [SimulatedCluster.Event]] = [:]
  /// Processes that die after so many actions of their next event.
  private var doomed: [ProcessName: Int] = [:]
  /// Processes that got a SIGTERM.
  private var dismissed: Set<ProcessName> = []

  subscript(name: ProcessName) -> (SimulatedProcess)? { living[name] }

  subscript(slot: Slot) -> ProcessName? { current[slot] }

  /// All that live, in no order.
  var servers: [SimulatedServer] { living.values.compactMap { $0 as? SimulatedServer } }

  func isCurrent(_ name: ProcessName) -> Bool { current[name.slot] == name }

  /// Whom a message comes to, if anybody.
  func receiver(of route: Route) -> (SimulatedProcess)? {
    switch route.receiver {
    case .slot(let slot): current[slot].flatMap { living[$0] }
    case .process(let name): living[name]
    }
  }

  /// The process that has, or had, this address.
  func name(at endpoint: String) -> ProcessName? { addresses[endpoint] }

  /// How many processes of a slot live.
  func count(in slot: Slot) -> Int { living.keys.count { $0.slot == slot } }

  // MARK: Coming and going

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

  /// - Returns: whether its slot is empty now.
  mutating func remove(_ name: ProcessName) -> Bool {
    living[name] = nil
    frozen[name] = nil
    doomed[name] = nil
    guard current[name.slot] == name else { return false }
    current[name.slot] = nil
    return true
  }

  mutating func removeAll() {
    living = [:]
    frozen = [:]
    doomed = [:]
    current = [:]
  }

  /// Another process may fill the slot while the one that filled it lives on.
  mutating func vacate(_ slot: Slot) { current[slot] = nil }

  // MARK: Stopping

  func isFrozen(_ name: ProcessName) -> Bool { frozen[name] != nil }

  /// - Returns: false if it is stopped already.
  mutating func freeze(_ name: ProcessName) -> Bool {
    guard frozen[name] == nil else { return false }
    frozen[name] = []
    return true
  }

  /// What waited, in the order in which it came; nil if the process does not wait.
  mutating func thaw(_ name: ProcessName) -> [SimulatedCluster.Event]? {
    frozen.removeValue(forKey: name)
  }

  /// Keeps an event for a process that is stopped.
  ///
  /// - Returns: whether it is.
  mutating func keep(_ event: SimulatedCluster.Event, for name: ProcessName) -> Bool {
    guard frozen[name] != nil else { return false }
    frozen[name]?.append(event)
    return true
  }

  mutating func dismiss(_ name: ProcessName) { dismissed.insert(name) }

  func isDismissed(_ name: ProcessName) -> Bool { dismissed.contains(name) }

  // MARK: Dying within an event

  mutating func doom(_ name: ProcessName, after actions: Int) { doomed[name] = actions }

  /// Whether the process dies before the action of this number.
  func isDue(_ name: ProcessName, before action: Int) -> Bool {
    doomed[name].map { action >= $0 } ?? false
  }
}
