import Coordinator
import Foundation
import Protocol
import Runtime
import Testing

@Suite("What events make of an overview")
struct ObservedRunTests {
  private static func plan(epochs: UInt32 = 10) -> RunPlan {
    RunPlan(
      runID: "run", configuration: "", tables: [], seed: 1, shardCount: 4, workerCount: 2,
      serverCount: 1, stepsPerEpoch: 50, roundsPerStep: 1, epochs: epochs,
      materializeBlockCount: 0, rankBlockCount: 1,
      selection: SelectionRule(metric: "valid.recall@20", patience: 1))
  }

  private static func run(epochs: UInt32 = 10) -> ObservedRun {
    let plan = plan(epochs: epochs)
    return ObservedRun(
      RunOverview.Description(
        id: "run", name: "one", model: "vbpr", dataset: "data", objective: "mrdib", seed: 1,
        created: "2026-01-01T00:00:00Z", epochs: epochs, shards: 4, workers: 2, servers: 1),
      plan: plan, examplesPerEpoch: 100_000, selection: ModelSelection(rule: plan.selection),
      stored: nil, at: 100)
  }

  private static func member(
    _ role: NodeRole = .worker, rank: UInt32 = 0, incarnation: UInt64 = 1, progress: UInt64 = 0,
    silence: Double = 0, units: Int = 2, cpu: Double = 0
  ) -> MemberStatus {
    MemberStatus(
      incarnation: incarnation, role: role, rank: rank, name: "worker-\(rank)", host: "n1",
      processID: 7, activity: .working, silence: silence, taskProgress: progress,
      unitCount: units, version: progress,
      usage: MemberStatus.Usage(residentBytes: 1 << 20, cpuSeconds: cpu))
  }

  private static func coordinator(
    _ phase: RunSnapshot.Phase, _ members: [MemberStatus]
  ) -> RunSnapshot {
    RunSnapshot(
      phase: phase, epoch: 0, generation: 1, term: 1, members: members, ignoredMessages: 0)
  }

  @Test("an epoch: position, loss and its parts, gauges, metrics, best, time left")
  func epoch() throws {
    var run = Self.run()
    run.handle(.epochStarted(epoch: 0, workers: 2), at: 100)
    run.handle(.progress(.train, epoch: 0, done: 25, total: 50), at: 101)
    let during = run.overview(since: 0, at: 101)
    #expect(during.state == .training && during.epochs.isEmpty)
    #expect(during.position?.reached == 0.5 && during.position?.examplesPerSecond == 50_000)
    // 2 s for an epoch; the first evaluation is the best, then two more may miss.
    #expect(during.timeLeft?.leastSeconds == 5 && during.timeLeft?.mostSeconds == 19)

    let values = [
      "loss.total": 0.5, "loss.unique.text": 0.6, "loss.redundancy.visual-text": -0.1,
      "stat.kl_per_dimension.text": 0.01, "stat.sigma.text": 0.9, "stat.rms.text": .nan,
      "stat.gate.conflict": 0.25, "stat.redundancy_running.visual-text": -0.2, "examples": 9,
    ]
    run.handle(
      .epochFinished(EpochSummary(epoch: 0, version: 50, values: values, seconds: 2)), at: 102)
    run.handle(
      .evaluated(
        EvaluationSummary(
          epoch: 0, version: 50, metrics: ["valid.recall@20": 0.1, "test.recall@20": 0.2],
          users: [:], materializeSeconds: 0, rankSeconds: 1)), at: 103)
    run.handle(
      .improved(metric: "valid.recall@20", value: 0.1, previous: nil, epoch: 0), at: 103)
    let after = run.overview(since: 0, at: 103)
    let epoch = try #require(after.epochs.first)
    #expect(epoch.at == 2 && epoch.trainSeconds == 2 && epoch.evaluateSeconds == 1)
    #expect(epoch.loss["total"] == 0.5 && epoch.valid == ["recall@20": 0.1])
    #expect(epoch.test == ["recall@20": 0.2])
    #expect(after.selection.bestEpoch == 0 && after.selection.bestValue == 0.1)
    let text = try #require(after.modalities.first)
    #expect(text.name == "text" && text.divergencePerDimension == 0.01 && text.sigma == 0.9)
    #expect(text.size == nil && text.unimodalLoss == 0.6 && after.modalities.count == 1)
    let pair = try #require(after.pairs.first)
    #expect(pair.name == "visual-text" && pair.mutualInformation == -0.1)
    #expect(pair.runningMutualInformation == -0.2 && after.pairs.count == 1)
    #expect(after.gate?.conflict == 0.25 && after.gate?.scale == nil)
    #expect(run.overview(since: 1, at: 103).epochs.isEmpty)
    // Not a number is null, and the JSON can be read again.
    let json = try after.encoded()
    #expect(String(decoding: json, as: UTF8.self).contains("\"rms.text\":null"))
    #expect(try RunOverview(decoding: json, of: "a test") == after)
  }

  @Test("an epoch that is measured again changes the number of the history")
  func revision() {
    var run = Self.run()
    func evaluate(_ value: Double) -> RunEvent {
      .evaluated(
        EvaluationSummary(
          epoch: 0, version: 50, metrics: ["valid.recall@20": value], users: [:],
          materializeSeconds: 0, rankSeconds: 1))
    }
    run.handle(.epochStarted(epoch: 0, workers: 2), at: 100)
    run.handle(.finished(0), at: 101)
    run.handle(evaluate(0.1), at: 101)
    #expect(run.overview(since: 0, at: 101).historyRevision == 0)
    run.handle(evaluate(0.2), at: 103)
    let overview = run.overview(since: 0, at: 103)
    #expect(overview.historyRevision == 1 && overview.epochs.count == 1)
    #expect(overview.epochs[0].valid["recall@20"] == 0.2)
  }

  @Test("a worker: throughput by its shards, processors, silence, loss, and its successor")
  func worker() throws {
    var run = Self.run()
    run.handle(.epochStarted(epoch: 0, workers: 2), at: 100)
    run.look(at: Self.coordinator(.training, [Self.member(progress: 0, cpu: 1)]), now: 101)
    run.look(at: Self.coordinator(.training, [Self.member(progress: 10, cpu: 2)]), now: 103)
    var node = try #require(run.overview(since: 0, at: 104).nodes.first)
    // 5 steps per second of 2,000 examples, of which it has 2 of 4 shards.
    #expect(node.perSecond == 5_000 && node.perSecondUnit == "examples" && node.units == 2)
    #expect(node.processors == 0.5 && node.residentBytes == 1 << 20)
    #expect(node.state == "working" && node.silentSeconds == 1)
    // An evaluation is part of the time in which it made no steps.
    run.look(at: Self.coordinator(.evaluating, [Self.member(units: 0)]), now: 105)
    node = try #require(run.overview(since: 0, at: 105).nodes.first)
    #expect(node.perSecond == 2_500)

    run.look(at: Self.coordinator(.training, [Self.member(progress: 10, silence: 9)]), now: 112)
    node = try #require(run.overview(since: 0, at: 112).nodes.first)
    #expect(node.state == "silent")
    run.handle(.nodeLost(role: .worker, rank: 0, host: "n1", how: "no sign of life"), at: 115)
    run.look(at: Self.coordinator(.training, []), now: 116)
    node = try #require(run.overview(since: 0, at: 116).nodes.first)
    #expect(node.state == "lost" && node.note == "no sign of life" && node.perSecond == nil)
    #expect(run.overview(since: 0, at: 116).events.map(\.kind) == ["lost"])

    run.look(at: Self.coordinator(.training, [Self.member(incarnation: 2)]), now: 120)
    let nodes = run.overview(since: 0, at: 120).nodes
    #expect(nodes.count == 1 && nodes[0].state == "working" && nodes[0].note.isEmpty)
  }

  @Test("behind is what different times of heartbeats do not explain")
  func lag() {
    var run = Self.run()
    run.handle(.epochStarted(epoch: 0, workers: 2), at: 100)
    for second in 0...10 {
      let steps = UInt64(second) * 4
      let members = [
        Self.member(rank: 0, incarnation: 1, progress: steps),
        Self.member(rank: 1, incarnation: 2, progress: max(4, steps) - 4),
        Self.member(rank: 2, incarnation: 3, progress: 2),
      ]
      run.look(at: Self.coordinator(.training, members), now: 101 + Double(second))
    }
    let lags = run.overview(since: 0, at: 112).nodes.map(\.lag)
    #expect(lags == [0, 0, 38])
  }

  @Test("frequent events do not push out rare ones, and their number is bounded")
  func events() throws {
    var run = Self.run()
    run.handle(.recovering(generation: 2, version: 3), at: 100)
    for version in 0..<1_000 {
      run.handle(.checkpointCommitted(version: UInt64(version), seconds: 1), at: 101)
      run.handle(.nodeRefused(role: .worker, host: "n\u{1B}[2J", reason: "no room"), at: 101)
    }
    let events = run.overview(since: 0, at: 102).events
    #expect(events.count <= RunOverview.eventLimit)
    #expect(events.first?.kind == "recovery" && events.first?.severity == .warning)
    #expect(events.allSatisfy { !$0.text.contains("\u{1B}") })
    let last = try #require(events.last { $0.kind == "checkpoint" })
    #expect(last.text.contains("version 999") && !last.text.hasPrefix(" "))
  }

  @Test("the end: its state and message, nodes that have left, no time left")
  func end() throws {
    var run = Self.run()
    run.handle(.epochStarted(epoch: 0, workers: 2), at: 100)
    run.look(at: Self.coordinator(.training, [Self.member()]), now: 101)
    run.showWait(for: "1 worker", secondsLeft: 5, at: 101)
    #expect(run.overview(since: 0, at: 102).position?.waitingFor == "1 worker")
    let failure = RunFailure(kind: .diverged, message: "The loss is not a number.")
    run.handle(
      .stopping(RunOutcome(ending: .failed(failure), epochsFinished: 0, best: nil)), at: 102)
    let overview = run.overview(since: 0, at: 200)
    #expect(overview.state == .failed && overview.message == "The loss is not a number.")
    #expect(overview.timeLeft == nil && overview.elapsedSeconds == 2)
    #expect(overview.position?.waitingFor == nil && overview.nodes.map(\.state) == ["left"])
    #expect(overview.events.last?.severity == .error)
    // Nothing ends twice.
    #expect(run.fail("again", at: 201) == nil)
  }

  @Test("a very long run has a bounded number of epochs, the best and the last among them")
  func thinned() throws {
    var run = Self.run(epochs: 30_000)
    for epoch in 0..<UInt32(20_001) {
      run.handle(.finished(epoch), at: 100)
      if epoch == 4_321 {
        run.handle(
          .improved(metric: "valid.recall@20", value: 1, previous: nil, epoch: epoch), at: 100)
      }
    }
    let epochs = run.overview(since: 0, at: 101).epochs.map(\.epoch)
    #expect(epochs.count <= RunOverview.epochLimit + 2 && epochs.count > 2_000)
    #expect(epochs.contains(4_321) && epochs.last == 20_000 && epochs.first == 0)
  }
}
