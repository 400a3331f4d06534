import Coordinator
import Protocol
import TestSupport
import Testing

@Suite struct RandomScheduleTests {
  @Test("in any order, with repetitions and late messages, invariants hold and runs end alike")
  func randomSchedules() throws {
    var outcomes: [RunOutcome] = []
    for seed in 0..<300 as Range<UInt64> {
      var random = SeededGenerator(seed: seed, counter: 0)
      var cluster = try ScriptedCluster(ScriptedCluster.plan(workers: 3, shards: 4, epochs: 3))
      var mailbox: [CoordinatorEvent] = []
      for node in [100, 101] as [NodeID] {
        mailbox.append(.message(ScriptedCluster.hello(.server, node), from: node))
      }
      for node in [200, 201, 202] as [NodeID] {
        mailbox.append(.message(ScriptedCluster.hello(.worker, node), from: node))
      }
      var history = mailbox
      while !mailbox.isEmpty, !cluster.state.isEnded {
        cluster.now += 0.01
        // Now and then an earlier event is repeated.
        let isRepeat = random.oneIn(4)
        let event: CoordinatorEvent
        if isRepeat, let old = history.randomElement(using: &random), old != .bestSaved {
          event = old
        } else {
          event = mailbox.remove(at: random.below(mailbox.count))
        }
        let answers = cluster.handle(event).flatMap(Self.answers)
        mailbox += answers
        history += answers
      }
      #expect(cluster.state.isEnded, "seed \(seed) is stuck")
      if let outcome = cluster.actions.outcome { outcomes.append(outcome) }
    }
    #expect(outcomes.count == 300)
    let best = ModelSelection.Best(epoch: 2, version: 24, value: 0.75)
    #expect(
      outcomes.allSatisfy {
        $0 == RunOutcome(ending: .completed, epochsFinished: 3, best: best)
      })
  }

  /// The events that an action leads to when all nodes work and the best model can be saved.
  private static func answers(to action: CoordinatorAction) -> [CoordinatorEvent] {
    switch action {
    case .saveBest: return [.bestSaved]
    case .send(.welcome, let node) where node < 200:
      return [.message(.ready(generation: 1), from: node)]
    case .send(.servers, let node): return [.message(.ready(generation: 1), from: node)]
    case .send(.task(let task), let node):
      let reports = task.body.units.map { unit in
        UnitReport(unit: unit, sums: sums(of: task.body))
      }
      return [.message(.taskDone(id: task.id, reports: reports), from: node)]
    default: return []
    }
  }

  private static func sums(of body: TaskBody) -> [String: Double] {
    switch body {
    case .train: ["loss.total": 1]
    case .materialize: [:]
    case .rank(_, let epoch, _): ["valid.recall@20": Double(epoch + 1), "valid.users": 4]
    }
  }
}
