import Coordinator
import Protocol
import Testing

@Suite struct TaskPartTests {
  @Test("many blocks come in tasks of bounded size, and every block is done once")
  func bounded() throws {
    let blocks: UInt32 = 1500
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 2, blocks: blocks))
    cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    var mailbox = cluster.actions.tasks
    var seen: [UInt32] = []
    var busy: [NodeID: Int] = [200: 1, 201: 1]
    var reports: [CoordinatorAction] = []
    // Materialize, then rank.
    while !mailbox.isEmpty, !reports.contains(where: \.isSaveBest) {
      let (node, task) = mailbox.removeFirst()
      busy[node, default: 0] -= 1
      #expect(task.body.units.count <= CoordinatorState.blocksPerTask)
      if case .rank = task.body { seen += task.body.units }
      let sums = ["valid.recall@20": 0.25, "valid.users": 1]
      reports = cluster.receive(
        .taskDone(id: task.id, reports: task.body.units.map { UnitReport(unit: $0, sums: sums) }),
        from: node)
      for next in reports.tasks { busy[next.node, default: 0] += 1 }
      mailbox += reports.tasks
      #expect(busy.values.allSatisfy { $0 <= 1 })
    }
    #expect(reports.contains { $0.isSaveBest })
    #expect(seen.sorted() == Array(0..<blocks))
  }

  @Test("the next part has an id of its own, which distinguishes it from a repetition")
  func ids() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 1, blocks: 1100))
    cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    var ids: [UInt64] = []
    while case (let node, let task)? = cluster.actions.tasks.first, ids.count < 3 {
      ids.append(task.id)
      cluster.receive(.taskDone(id: task.id, reports: []), from: node)
    }
    #expect(ids.count == 3)
    #expect(zip(ids, ids.dropFirst()).allSatisfy(<))
  }
}
