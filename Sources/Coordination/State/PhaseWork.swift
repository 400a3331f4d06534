import Messages

/// The tasks of one phase: who owes what, and what has come in.
///
/// Units (shards or blocks) are dealt round robin over the workers, unit `i` to worker `i mod W`.
/// Here is where leases will move the units of a lost worker to others.
struct PhaseWork: Sendable, Equatable {
  struct Assignment: Sendable, Equatable {
    var node: NodeID
    var task: WorkerTask
    var units: [UInt32]
  }

  let startedAt: Double
  let unitCount: UInt32
  /// Tasks not yet done, by id.
  private(set) var outstanding: [UInt64: Assignment] = [:]
  private(set) var reports: [UnitReport] = []
  /// Units of the tasks that are done.
  private(set) var doneUnitCount = 0

  /// Which units each worker has; workers without any are left out.
  static func deal(_ unitCount: UInt32, to workers: [NodeID]) -> [(node: NodeID, units: [UInt32])] {
    workers.enumerated().compactMap { rank, node in
      guard rank < Int(unitCount) else { return nil }
      return (node, Array(stride(from: UInt32(rank), to: unitCount, by: workers.count)))
    }
  }

  init(
    unitCount: UInt32, workers: [NodeID], firstTaskID: UInt64, at now: Double,
    body: ([UInt32]) -> TaskBody
  ) {
    self.startedAt = now
    self.unitCount = unitCount
    for (offset, share) in Self.deal(unitCount, to: workers).enumerated() {
      let task = WorkerTask(id: firstTaskID + UInt64(offset), body: body(share.units))
      outstanding[task.id] = Assignment(node: share.node, task: task, units: share.units)
    }
  }

  var isDone: Bool { outstanding.isEmpty }

  /// Tasks not yet done, by id.
  var assignments: [Assignment] { outstanding.sorted { $0.key < $1.key }.map(\.value) }

  mutating func complete(_ id: UInt64, reports: [UnitReport]) {
    guard let assignment = outstanding.removeValue(forKey: id) else { return }
    doneUnitCount += assignment.units.count
    self.reports += reports
  }
}
