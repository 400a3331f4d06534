import Coordinator
import Protocol
import Testing

@Suite struct LostMessageTests {
  private func beat(_ task: UInt64) -> NodeMessage {
    ScriptedCluster.heartbeat(task: task, done: 1)
  }

  @Test("a task that two heartbeats in a row do not name is sent again, under its id")
  func lostTask() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let (node, task) = try #require(cluster.form().tasks.first)
    #expect(cluster.receive(beat(0), from: node).tasks.isEmpty)
    let again = cluster.receive(beat(0), from: node).tasks
    #expect(again.map(\.node) == [node])
    #expect(again.map(\.task) == [task])
    #expect(cluster.receive(beat(task.id), from: node).tasks.isEmpty)
    #expect(cluster.receive(beat(0), from: node).tasks.isEmpty)
    #expect(cluster.receive(beat(task.id), from: node).tasks.isEmpty)
  }

  @Test("a worker that has nothing to do is sent nothing")
  func idle() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    let (node, task) = try #require(cluster.form().tasks.first)
    let reports = task.body.units.map { UnitReport(unit: $0, sums: ["loss.total": 1]) }
    cluster.receive(.taskDone(id: task.id, reports: reports), from: node)
    for _ in 0..<3 { #expect(cluster.receive(beat(0), from: node).tasks.isEmpty) }
  }

  @Test("progress of another task than the one under way is ignored")
  func foreignProgress() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 1))
    let materialize = cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    let (node, task) = try #require(materialize.tasks.first)
    #expect(cluster.receive(beat(task.id + 7), from: node).reports.isEmpty)
    #expect(!cluster.receive(beat(task.id), from: node).reports.isEmpty)
  }

  @Test("a worker that lacks the servers, and a server whose readiness was lost, get it again")
  func lostSetUp() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 1, servers: 1))
    cluster.receive(ScriptedCluster.hello(.server, 100), from: 100)
    cluster.receive(ScriptedCluster.hello(.worker, 200), from: 200)
    #expect(cluster.receive(beat(0), from: 100).welcome != nil)
    #expect(cluster.receive(beat(0), from: 200).sent.count == 1)
    #expect(cluster.receive(ScriptedCluster.heartbeat(generation: 0), from: 200).welcome != nil)
    cluster.receive(.ready(generation: 1), from: 100)
    let servers = CoordinatorMessage.servers(generation: 1, endpoints: ["tcp://host:100"])
    #expect(cluster.receive(beat(0), from: 200).contains(.send(servers, to: 200)))
    #expect(cluster.receive(beat(0), from: 100).welcome == nil)
    cluster.receive(.ready(generation: 1), from: 200)
    #expect(!cluster.receive(beat(0), from: 200).contains(.send(servers, to: 200)))
  }

  @Test("an unreadable message of a member ends the run; one of an unknown node is ignored")
  func undecodable() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan())
    cluster.form()
    #expect(cluster.handle(.undecodable(from: 999, message: "nonsense")).isEmpty)
    let end = cluster.handle(.undecodable(from: 201, message: "70000 unit reports"))
    #expect(end.failure?.kind == .wrongAnswer)
    #expect(end.failure?.message.contains("worker 1") == true)
    #expect(end.failure?.message.contains("70000 unit reports") == true)
  }
}
