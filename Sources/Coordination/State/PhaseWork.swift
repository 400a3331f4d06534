import Messages

/// The tasks of one phase: who owes what, and what has come in.
///
/// Units (shards or blocks) are dealt round robin over the workers, unit `i` to worker `i mod W`.
/// Shares above a size are cut into several tasks, of which a worker has one at a time, so that no
/// report outgrows a message. Here is where leases will move the units of a lost worker to others.
struct PhaseWork: Sendable, Equatable {
  struct Assignment: Sendable, Equatable {
    var node: NodeID
    var task: WorkerTask
    var units: [UInt32]
  }

  let startedAt: Double
  let unitCount: UInt32
  /// Tasks under way, at most one per worker, by id.
  private(set) var outstanding: [UInt64: Assignment] = [:]
  /// What each worker gets afterwards, in order.
  private(set) var waiting: [NodeID: ArraySlice<Assignment>] = [:]
  /// How many tasks the phase has in all.
  let taskCount: UInt64
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

  /// - Parameter unitsPerTask: how many units one task has at most.
  init(
    unitCount: UInt32, unitsPerTask: Int, workers: [NodeID], firstTaskID: UInt64, at now: Double,
    body: ([UInt32]) -> TaskBody
  ) {
    self.startedAt = now
    self.unitCount = unitCount
    var nextID = firstTaskID
    for (node, units) in Self.deal(unitCount, to: workers) {
      var parts: [Assignment] = []
      for start in stride(from: 0, to: units.count, by: unitsPerTask) {
        let part = Array(units[start..<min(units.count, start + unitsPerTask)])
        let task = WorkerTask(id: nextID, body: body(part))
        parts.append(Assignment(node: node, task: task, units: part))
        nextID += 1
      }
      if let first = parts.first { outstanding[first.task.id] = first }
      if parts.count > 1 { waiting[node] = parts.dropFirst() }
    }
    taskCount = nextID - firstTaskID
  }

  var isDone: Bool { outstanding.isEmpty }

  /// Tasks under way, by id.
  var assignments: [Assignment] { outstanding.sorted { $0.key < $1.key }.map(\.value) }

  /// The task that a worker has.
  func assignment(of node: NodeID) -> Assignment? {
    outstanding.values.first { $0.node == node }
  }

  /// Takes in the end of a task.
  ///
  /// - Returns: what its worker has to do next, if there is more for it.
  mutating func complete(_ id: UInt64, reports: [UnitReport]) -> Assignment? {
    guard let assignment = outstanding.removeValue(forKey: id) else { return nil }
    doneUnitCount += assignment.units.count
    self.reports += reports
    guard let next = waiting[assignment.node]?.popFirst() else { return nil }
    outstanding[next.task.id] = next
    return next
  }
}
