import Coordinator
import Protocol
import Recommenders
import Testing

@Suite("Counts of recommended items over all users")
struct ExposureTests {
  private static let itemCount = 5

  private static func plan(metrics: [Metric] = [.coverage, .gini], workers: UInt32 = 2) -> RunPlan {
    var plan = ScriptedCluster.plan(workers: workers, epochs: 1)
    plan.materializeBlockCount = 0
    plan.exposure = ExposurePlan(
      metrics: metrics, cutoffs: [20], itemCount: itemCount, usersPerBlock: 4)
    return plan
  }

  /// A run whose workers rank.
  private static func ranking(_ plan: RunPlan) throws -> ScriptedCluster {
    var cluster = try ScriptedCluster(plan)
    cluster.finishTasks(cluster.form()) { _ in ["loss.total": 1] }
    return cluster
  }

  private static func report(
    _ unit: UInt32, _ counts: [(item: UInt32, count: UInt32)],
    names: [String] = ["valid.exposure@20", "test.exposure@20"]
  ) -> UnitReport {
    UnitReport(
      unit: unit, sums: ["valid.recall@20": 0.5, "valid.users": 1, "test.users": 1],
      counts: Dictionary(uniqueKeysWithValues: names.map { ($0, ItemCounts(counts)) }))
  }

  /// The counts of block `unit`: item `unit` once, item 4 twice.
  private static func counts(_ unit: UInt32) -> [(item: UInt32, count: UInt32)] {
    [(item: unit, count: 1), (item: 4, count: 2)]
  }

  @Test("are added once per block, in any order, by any workers", arguments: [1, 2, 3])
  func totals(workers: UInt32) throws {
    var cluster = try Self.ranking(Self.plan(workers: workers))
    var mailbox = cluster.actions.tasks
    var metrics: [String: Double]?
    while let (node, task) = mailbox.popLast() {
      let actions = cluster.receive(
        .taskDone(
          id: task.id, reports: task.body.units.map { Self.report($0, Self.counts($0)) }),
        from: node)
      // Repeated: counts for nothing.
      cluster.receive(
        .taskDone(id: task.id, reports: task.body.units.map { Self.report($0, [(1, 9)]) }),
        from: node)
      mailbox += actions.tasks
      for case .evaluated(let summary) in actions.reports { metrics = summary.metrics }
    }
    // Items 0, 1, 2 once, item 3 never, item 4 six times.
    let gini = Double(-4 * 0 - 2 * 1 + 0 * 1 + 2 * 1 + 4 * 6) / Double(4 * 9)
    for split in ["valid", "test"] {
      #expect(metrics?["\(split).coverage@20"] == 0.8)
      #expect(metrics?["\(split).gini@20"] == gini)
    }
    #expect(metrics?["valid.recall@20"] == 0.5)
  }

  @Test("that do not fit the run end it with a sentence")
  func wrongCounts() throws {
    for (exposure, report, words) in [
      (true, { Self.report($0, [(item: 5, count: 1)]) }, "items in block"),
      (true, { Self.report($0, [], names: ["valid.exposure@20"]) }, "other counts of block"),
      (true, { Self.report($0, [], names: []) }, "other counts of block"),
      (false, { Self.report($0, Self.counts($0)) }, "counts that were not requested"),
    ] as [(Bool, (UInt32) -> UnitReport, String)] {
      var cluster = try Self.ranking(Self.plan(metrics: exposure ? [.coverage] : [.recall]))
      let (node, task) = try #require(cluster.actions.tasks.first)
      let failure = cluster.receive(
        .taskDone(id: task.id, reports: task.body.units.map(report)), from: node
      ).failure
      #expect(failure?.kind == .wrongAnswer)
      #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
  }

  @Test("of so many blocks are one task that their reports fit one message")
  func blocksPerTask() throws {
    // A block of this many users recommends every item, at each cutoff.
    let users = 20_000
    let items = 300_000
    var plan = Self.plan()
    plan.rankBlockCount = 40
    plan.exposure = ExposurePlan(
      metrics: [.coverage], cutoffs: [20, 50], itemCount: items, usersPerBlock: users)
    let cluster = try Self.ranking(plan)
    let task = try #require(cluster.actions.tasks.first?.task)
    let counts = ItemCounts((0..<UInt32(items)).map { (item: $0, count: 1) })
    let names = ["valid", "test"].flatMap { ["\($0).exposure@20", "\($0).exposure@50"] }
    let reports = task.body.units.map { unit in
      UnitReport(
        unit: unit, sums: [:], counts: Dictionary(uniqueKeysWithValues: names.map { ($0, counts) }))
    }
    let message = NodeMessage.taskDone(id: task.id, reports: reports)
    #expect(try NodeMessage(decoding: message.encoded()) == message)
    #expect(task.body.units.count < 20)
  }

  @Test("many sums make tasks of fewer blocks, and more than a message holds are refused")
  func manySums() throws {
    var plan = Self.plan()
    plan.rankBlockCount = 400
    plan.rankSumCount = 2000
    let cluster = try Self.ranking(plan)
    let task = try #require(cluster.actions.tasks.first?.task)
    let sums = Dictionary(
      uniqueKeysWithValues: (0..<2000).map { ("test users 1000-2000.precision@\($0)", 0.5) })
    let reports = task.body.units.map { UnitReport(unit: $0, sums: sums) }
    let message = NodeMessage.taskDone(id: task.id, reports: reports)
    #expect(try NodeMessage(decoding: message.encoded()) == message)
    #expect(task.body.units.count < 100)
    plan.rankSumCount = 2049
    let error = #expect(throws: CoordinationError.self) { try plan.validate() }
    #expect(error?.message.contains("topk") == true)
  }

  @Test("that no message can hold are refused before the run begins")
  func tooMuch() throws {
    var plan = Self.plan()
    plan.exposure = ExposurePlan(
      metrics: [.gini], cutoffs: [10_000], itemCount: 3_000_000, usersPerBlock: 1_000_000)
    let error = #expect(throws: CoordinationError.self) { try plan.validate() }
    #expect(error?.message.contains("evaluation_block_users") == true)
  }
}
