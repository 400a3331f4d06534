import Coordinator
import Protocol
import Testing

@Suite struct RandomScheduleTests {
  @Test("in any order, with repetitions and late messages, invariants hold and runs end alike")
  func randomSchedules() throws {
    var outcomes: [RunOutcome] = []
    for seed in 0..<300 as Range<UInt64> {
      var random = SplitMix(state: seed)
      var cluster = try TestCluster(TestCluster.plan(workers: 3, shards: 4, epochs: 3))
      var mailbox: [CoordinatorEvent] = []
      for node in [100, 101] as [NodeID] {
        mailbox.append(.message(TestCluster.hello(.server, node), from: node))
      }
      for node in [200, 201, 202] as [NodeID] {
        mailbox.append(.message(TestCluster.hello(.worker, node), from: node))
      }
      var history = mailbox
      while !mailbox.isEmpty, !cluster.state.isEnded {
        cluster.now += 0.01
        // Now and then an earlier event is repeated.
        let isRepeat = UInt64.random(in: 0..<4, using: &random) == 0
        let event: CoordinatorEvent
        if isRepeat, let old = history.randomElement(using: &random), old != .bestSaved {
          event = old
        } else {
          event = mailbox.remove(at: Int.random(in: 0..<mailbox.count, using: &random))
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

  /// How correct nodes and a correct shell answer an action.
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
