import Messages

/// The work of one phase: which units (shards or blocks) are leased to whom, which wait for a
/// worker, and what has come in.
///
/// A unit is leased to at most one worker at a time. The units of a worker that is lost wait again;
/// ``PhaseWork/leaseShards(to:favoring:)`` and ``PhaseWork/leaseParts(to:)`` lease what waits.
struct PhaseWork: Sendable, Equatable {
  struct Assignment: Sendable, Equatable {
    var node: NodeID
    var task: WorkerTask
    /// Ascending.
    var units: [UInt32]
  }

  /// What a worker is to do.
  struct Lease: Sendable, Equatable {
    var node: NodeID
    /// Ascending.
    var units: [UInt32]
  }

  let startedAt: Double
  let unitCount: UInt32
  /// Tasks under way, at most one per worker.
  private(set) var outstanding: [NodeID: Assignment] = [:]
  /// Units without a worker, in parts that make one task each.
  private(set) var waiting: [[UInt32]]
  private(set) var reports: [UnitReport] = []
  /// Units of the tasks that are done.
  private(set) var doneUnitCount = 0

  /// All units wait, unit `i` in a part for worker `i mod workerCount`.
  ///
  /// - Parameter unitsPerTask: how many units one part has at most, so that no report outgrows a
  ///   message.
  init(unitCount: UInt32, unitsPerTask: Int = .max, workerCount: Int, at now: Double) {
    startedAt = now
    self.unitCount = unitCount
    let shares = (0..<min(UInt32(max(1, workerCount)), unitCount)).map { rank in
      Array(stride(from: rank, to: unitCount, by: max(1, workerCount)))
    }
    let longest = shares.first?.count ?? 0
    waiting = stride(from: 0, to: longest, by: unitsPerTask).flatMap { start in
      shares.filter { start < $0.count }.map { share in
        Array(share[start..<start + min(unitsPerTask, share.count - start)])
      }
    }
  }

  var isDone: Bool { outstanding.isEmpty && waiting.isEmpty }

  /// Tasks under way, by id.
  var assignments: [Assignment] { outstanding.values.sorted { $0.task.id < $1.task.id } }

  /// Writes down a lease; the worker's task before is replaced.
  mutating func assign(_ lease: Lease, as task: WorkerTask) {
    outstanding[lease.node] = Assignment(node: lease.node, task: task, units: lease.units)
  }

  /// Takes in the end of a worker's task.
  mutating func complete(_ node: NodeID, reports: [UnitReport]) {
    guard let assignment = outstanding.removeValue(forKey: node) else { return }
    doneUnitCount += assignment.units.count
    self.reports += reports
  }

  /// What a worker had waits again, before all else.
  mutating func release(_ node: NodeID) {
    guard let assignment = outstanding.removeValue(forKey: node) else { return }
    waiting.insert(assignment.units, at: 0)
  }

  /// Leases every waiting shard to the worker that then has the fewest (the first of equals).
  ///
  /// - Parameter newcomer: gets shards of the others until no other has two more than it.
  /// - Returns: the workers whose shards changed, with all that they have now.
  mutating func leaseShards(to workers: [NodeID], favoring newcomer: NodeID?) -> [Lease] {
    var shares = workers.map { Lease(node: $0, units: outstanding[$0]?.units ?? []) }
    for shard in waiting.joined().sorted() {
      guard let index = shares.indices.min(by: { shares[$0].units.count < shares[$1].units.count })
      else { return [] }
      shares[index].units.append(shard)
    }
    waiting = []
    if let newcomer = shares.firstIndex(where: { $0.node == newcomer }) {
      Self.level(&shares, toward: newcomer)
    }
    for index in shares.indices { shares[index].units.sort() }
    return shares.filter { !$0.units.isEmpty && $0.units != outstanding[$0.node]?.units }
  }

  private static func level(_ shares: inout [Lease], toward newcomer: Int) {
    while let fullest = shares.indices.max(by: { shares[$0].units.count < shares[$1].units.count }),
      shares[fullest].units.count > shares[newcomer].units.count + 1
    {
      shares[newcomer].units.append(shares[fullest].units.removeLast())
    }
  }

  /// Leases one waiting part to every worker that has nothing to do.
  mutating func leaseParts(to workers: [NodeID]) -> [Lease] {
    workers.filter { outstanding[$0] == nil }.prefix(waiting.count).map { node in
      Lease(node: node, units: waiting.removeFirst())
    }
  }
}
