import Nodes
import Protocol
import Simulation
import Tables
import TestSupport
import Testing

/// Runs in which workers are lost, shards move, connections are lost, coordinators and servers are
/// replaced, and messages are lost, repeated or late.
///
/// ``SimulationTests`` tests random faults of all kinds. Here they follow each other quickly, some
/// runs have only one kind, and ``MessageCheck`` checks every message.
@Suite struct RecoveryTests {
  private static let kinds = SimulationProblem.Kind.allCases

  @Test("with any loss, repetition, kill or move, a run ends with the bits of an undisturbed one")
  func randomFaults() throws {
    let simulation = Simulation()
    var effects: [Effect: Int] = [:]
    var recomputedCount = 0
    var forgottenCount = 0
    for seed in 1..<200 as Range<UInt64> {
      let shape = ClusterShape(workers: 1 + Int(seed / 3 % 4), servers: 1 + Int(seed % 3))
      // Some runs have only one kind of fault, because others might hide its effect.
      let faults =
        switch seed % 4 {
        case 1: Self.moves(shape, seed)
        case 2: Self.badNetwork(shape, seed)
        default: Self.all(shape, seed)
        }
      var messages = MessageCheck(consistency: .bulkSynchronous)
      let cluster = try simulation.cluster(
        Self.kinds[Int(seed) % Self.kinds.count], shape, faults: faults, seed: seed
      ) { _, event in messages.see(event) }
      cluster.run()
      #expect(try simulation.differences(of: cluster) == [], "seed \(seed)")
      #expect(messages.problems.isEmpty, "seed \(seed): \(messages.problems.prefix(3))")
      #expect(!messages.epochs.isEmpty && messages.epochs.allSatisfy { $0["loss.total"] != nil })
      effects.merge(cluster.effects, uniquingKeysWith: +)
      recomputedCount += messages.recomputedCount
      forgottenCount += messages.forgottenCount
    }
    for effect in [
      .lostMessage, .repeatedDataMessage, .repeatedControlMessage, .overtakenDataMessage,
      .killedWorker, .killedServer, .killedCoordinator, .departure,
    ] as [Effect] {
      #expect(effects[effect, default: 0] > 100, "\(effect)")
    }
    #expect(recomputedCount > 100)
    #expect(forgottenCount > 100)
  }

  @Test(
    "in ssp and async such a run ends too, and every gradient reports its staleness once",
    arguments: [
      .staleSynchronous(bound: 1), .staleSynchronous(bound: 3), .asynchronous,
    ] as [Consistency])
  func staleRows(consistency: Consistency) throws {
    let simulation = Simulation()
    var greatest: UInt64 = 0
    var versionsPerEpoch: UInt64 = 0
    for seed in 1..<100 as Range<UInt64> {
      let shape = ClusterShape(workers: 1 + Int(seed / 3 % 4), servers: 1 + Int(seed % 3))
      var messages = MessageCheck(consistency: consistency)
      let cluster = try simulation.cluster(
        Self.kinds[Int(seed) % Self.kinds.count], shape, consistency: consistency,
        faults: Self.all(shape, seed), seed: seed
      ) { _, event in messages.see(event) }
      cluster.run()
      #expect(try simulation.differences(of: cluster) == [], "seed \(seed)")
      #expect(messages.problems.isEmpty, "seed \(seed): \(messages.problems.prefix(3))")
      #expect(!messages.trainingReports.isEmpty)
      for report in messages.trainingReports {
        let counts = try #require(StalenessCounts(report.sums))
        greatest = max(greatest, counts.greatest)
        #expect(counts.count == Double(messages.versionsPerEpoch), "seed \(seed)")
      }
      versionsPerEpoch = max(versionsPerEpoch, messages.versionsPerEpoch)
    }
    #expect(greatest > 0 && greatest <= consistency.bound ?? versionsPerEpoch)
  }

  @Test("the check of the messages finds violations")
  func findsProblems() throws {
    var messages = MessageCheck(consistency: .bulkSynchronous)
    var alteredCount = 0
    let cluster = try Simulation().cluster(.bpr, ClusterShape(workers: 1, servers: 1)) { _, event in
      messages.see(event)
      guard case .delivered(let message, let sender, let receiver) = event,
        let wrong = Self.altered(message)
      else { return }
      var copy = messages
      copy.see(.delivered(wrong, from: sender, to: receiver))
      #expect(copy.problems.count == 1, "\(wrong)")
      alteredCount += 1
    }
    cluster.run()
    #expect(messages.problems.isEmpty)
    #expect(alteredCount > 20)
  }

  /// A message that must not follow this one; nil for messages of other kinds.
  private static func altered(_ message: MemoryMessage) -> MemoryMessage? {
    switch message {
    case .node(.taskDone(let id, _)):
      return .node(.taskFailed(id: id, TaskFailure(.failed, "no memory")))
    case .node(.hello): return .node(.goodbye(reason: "it cannot reach server 0"))
    case .request(var request):
      switch request.body {
      case .push(var push) where push.kind == .gradient:
        push.sums["loss.total", default: 0] += 1
        request.body = .push(push)
      case .reduce(var reduce) where !reduce.values.isEmpty:
        reduce.values[0] += 1
        request.body = .reduce(reduce)
      default: return nil
      }
      return .request(request)
    case .reply(let reply):
      let refusal = Refusal(code: .malformed, message: "no")
      return .reply(DataReply(requestID: reply.requestID, body: .refused(refusal)))
    case .node, .coordinator: return nil
    }
  }

  // MARK: Faults

  /// Everything, with a fault in every second on average.
  private static func all(_ shape: ClusterShape, _ seed: UInt64) -> FaultPlan {
    var plan = FaultPlan.none
    plan.dropProbability = 1.0 / 40
    plan.duplicateProbability = 1.0 / 40
    plan.delayProbability = 1.0 / 20
    return filled(plan, shape, seed, count: 20) { worker, server, random in
      switch random.below(20) {
      case 0..<4: .kill(worker)
      case 4..<10: .terminate(worker)
      case 10..<16: .forget(worker, at: server)
      case 16, 17: .kill(.coordinator)
      default: .kill(server)
      }
    }
  }

  /// Shards move again and again: a worker that leaves gives its shards to the others, and takes
  /// some of theirs when it comes back.
  private static func moves(_ shape: ClusterShape, _ seed: UInt64) -> FaultPlan {
    filled(.none, shape, seed, count: 40) { worker, _, _ in .terminate(worker) }
  }

  /// Many messages are lost and repeated, and few shards move.
  private static func badNetwork(_ shape: ClusterShape, _ seed: UInt64) -> FaultPlan {
    var plan = FaultPlan.none
    plan.dropProbability = 1.0 / 15
    plan.duplicateProbability = 1.0 / 15
    return filled(plan, shape, seed, count: 8) { worker, _, _ in .terminate(worker) }
  }

  private static func filled(
    _ plan: FaultPlan, _ shape: ClusterShape, _ seed: UInt64, count: Int,
    _ fault: (_ worker: Slot, _ server: Slot, _ random: inout SeededGenerator) -> Fault
  ) -> FaultPlan {
    var plan = plan
    var random = SeededGenerator(seed: seed)
    plan.endsAt = 20
    // A run is to last about as long as its faults.
    plan.longestStep = 0.3
    for _ in 0..<count {
      let worker = Slot.worker(random.below(shape.workers))
      let server = Slot.server(random.below(shape.servers))
      let time = Double.random(in: 0..<plan.endsAt, using: &random)
      plan.faults.append((time, fault(worker, server, &random)))
    }
    plan.faults.sort { $0.time < $1.time }
    return plan
  }
}
