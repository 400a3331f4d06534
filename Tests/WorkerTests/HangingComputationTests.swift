import Protocol
import Testing
import Worker

@Suite("A worker with a hanging computation")
struct HangingComputationTests {
  private typealias Rig = SessionRig

  private func atWork() throws -> SessionRig {
    var rig = try Rig.ready(WorkerTimeouts(computation: 60))
    rig.handle(.tick, at: 1)
    rig.handle(Rig.task(5), at: 1)
    return rig
  }

  /// The time when the worker leaves, if it does.
  private func leaves(_ rig: inout SessionRig, from start: Int, to end: Int) -> Int? {
    for now in start...end {
      rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 1)), at: Double(now))
      let actions = rig.handle(.tick, at: Double(now))
      guard Rig.leaves(actions) else { continue }
      #expect(Rig.goodbyeReason(actions)?.contains("has not finished within 60 s") == true)
      guard case .leave(.transient(let message))? = actions.last else {
        Issue.record("\(actions)")
        return now
      }
      #expect(message.contains("computation_timeout_ms"))
      return now
    }
    return nil
  }

  @Test("it leaves as a transient failure after the timeout", arguments: [0, 1])
  func hangs(stepCount: Int) throws {
    var rig = try atWork()
    if stepCount == 1 {
      // The first step finishes, the next one does not.
      let pulls = rig.requests(.advanced(task: 5, .pull([Rig.pull])), at: 1)
      rig.handle(Rig.pulled(try #require(pulls.first)), at: 1)
    }
    #expect(leaves(&rig, from: 2, to: 200) == 62)
  }

  @Test("waiting for servers or for a task does not count as computation")
  func waits() throws {
    var rig = try atWork()
    #expect(rig.requests(.advanced(task: 5, .pull([Rig.pull])), at: 2).count == 1)
    #expect(leaves(&rig, from: 3, to: 1000) == nil)
    rig.handle(.advanced(task: 5, .done([])), at: 1000)
    #expect(leaves(&rig, from: 1001, to: 2000) == nil)
  }

  @Test("the timeout applies to a single step")
  func manySteps() throws {
    var rig = try atWork()
    var now = 1.0
    for _ in 0..<20 {
      for _ in 0..<50 {
        now += 1
        rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 1)), at: now)
        #expect(!Rig.leaves(rig.handle(.tick, at: now)))
      }
      let pulls = rig.requests(.advanced(task: 5, .pull([Rig.pull])), at: now)
      rig.handle(Rig.pulled(try #require(pulls.first)), at: now)
    }
  }

  @Test("time in which the process was paused does not count")
  func stopped() throws {
    var rig = try atWork()
    rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 1)), at: 2000)
    #expect(leaves(&rig, from: 2000, to: 2100) == 2059)
  }

  @Test("without a timeout a computation may take any time")
  func noTimeout() throws {
    var rig = try Rig.ready()
    rig.handle(Rig.task(5), at: 1)
    #expect(leaves(&rig, from: 2, to: 10_000) == nil)
  }
}
