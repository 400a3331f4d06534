import Protocol

/// Which units (shards or blocks) of a phase are leased to which worker, which wait for one, and
/// what is reported.
///
/// A unit waits, or is leased to one worker, or is done. The units of a lost worker wait again;
/// ``leaseShards(to:favoring:)`` and ``leaseParts(to:)`` lease what waits.
package struct TaskLeases: Sendable, Equatable {
  package struct Assignment: Sendable, Equatable {
    package var node: NodeID
    package var task: WorkerTask
    /// Ascending.
    package var units: [UInt32]
  }

  /// Units for a worker, before they are a task.
  package struct Lease: Sendable, Equatable {
    package var node: NodeID
    /// Ascending.
    package var units: [UInt32]
  }

  package let startedAt: Double
  package let unitCount: UInt32
  /// Tasks under way, at most one per worker.
  package private(set) var outstanding: [NodeID: Assignment] = [:]
  /// Units without a worker, in parts that make one task each.
  package private(set) var waiting: [[UInt32]]
  package private(set) var reports: [UnitReport] = []
  /// Units of the tasks that are done.
  package private(set) var doneUnitCount = 0

  /// All units wait, unit `i` in a part for worker `i mod workerCount`.
  ///
  /// - Parameter unitsPerTask: how many units one part has at most, so that no report outgrows a
  ///   message.
  package init(unitCount: UInt32, unitsPerTask: Int = .max, workerCount: Int, at now: Double) {
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

  package var isDone: Bool { outstanding.isEmpty && waiting.isEmpty }

  /// Records a lease as a task, which replaces the worker's task before.
  package mutating func assign(_ lease: Lease, as task: WorkerTask) {
    outstanding[lease.node] = Assignment(node: lease.node, task: task, units: lease.units)
  }

  /// A worker has done its task.
  package mutating func complete(_ node: NodeID, reports: [UnitReport]) {
    guard let assignment = outstanding.removeValue(forKey: node) else { return }
    doneUnitCount += assignment.units.count
    self.reports += reports
  }

  /// A worker is lost: its units wait again, before all others.
  package mutating func release(_ node: NodeID) {
    guard let assignment = outstanding.removeValue(forKey: node) else { return }
    waiting.insert(assignment.units, at: 0)
  }

  /// Leases every waiting shard to the worker that then has the fewest (the first of equals).
  ///
  /// - Parameter newcomer: gets shards of the others until no other has two more than it.
  /// - Returns: the workers whose shards changed, with all that they have now.
  package mutating func leaseShards(to workers: [NodeID], favoring newcomer: NodeID?) -> [Lease] {
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
  package mutating func leaseParts(to workers: [NodeID]) -> [Lease] {
    workers.filter { outstanding[$0] == nil }.prefix(waiting.count).map { node in
      Lease(node: node, units: waiting.removeFirst())
    }
  }

  // MARK: Invariants

  /// Reports rules that do not hold; see `CoordinatorState.brokenInvariants`.
  func checkInvariants(_ require: (Bool, String) -> Void) {
    require(!isDone, "a phase whose tasks are all done is over")
    let owed = outstanding.values.flatMap(\.units) + waiting.joined()
    require(
      owed.count + doneUnitCount == Int(unitCount), "every unit is owed or done, and none twice")
    require(Set(owed).count == owed.count, "a unit is leased to one worker or waits")
    let reported = reports.map(\.unit)
    require(Set(reported).isDisjoint(with: owed), "no unit is both owed and reported")
    require(Set(reported).count == reported.count, "no unit is reported twice")
    let ids = outstanding.values.map(\.task.id)
    require(Set(ids).count == ids.count, "a task belongs to one worker")
    for (node, assignment) in outstanding {
      require(node == assignment.node, "a task is listed under the worker that has it")
    }
  }
}
