import Protocol
import Recommenders
import Tables
import Testing
import Worker

@Suite struct TrainWorkTests {
  /// The requests of a task until it was done.
  private struct Trace {
    var pulls: [[ServerRequest<PullRequest>]] = []
    var pushes: [Push] = []
    var reports: [UnitReport] = []
    /// How many pulls left with pushes.
    var joinedPulls = 0
  }

  private struct Push: Equatable {
    let server: Int
    let name: ContributionName
    let kind: PushKind
    let keys: [UInt32]
    let values: [Float]
    let sums: [String: Double]

    init(_ addressed: ServerRequest<PushRequest>) {
      let request = addressed.body
      server = addressed.server
      name = request.name
      kind = request.kind
      keys = request.keys.array(of: UInt32.self)
      values = request.values.array(of: Float.self)
      sums = request.sums
    }
  }

  private let run: SmallRun
  private let allShards: [UInt32] = [0, 1, 2]

  init() throws { run = try SmallRun() }

  /// Runs a task with all shards until it is done, or until the servers reach a version.
  ///
  /// - Parameter prepares: whether the task is prepared while it waits for rows.
  private func finish(
    _ work: any Work, _ servers: inout InProcessServers, from first: WorkInput = .begin,
    stopAt version: UInt64 = .max, prepares: Bool = false
  ) throws -> Trace {
    var trace = Trace()
    var input = first
    while true {
      switch try work.advance(input) {
      case .pull(let requests):
        trace.pulls.append(requests)
        if prepares { work.prepare() }
        input = try pull(requests, from: &servers)
        if requests[0].body.version == version { return trace }
      case .push(let requests):
        try push(requests, to: &servers, &trace)
        input = .sent
      case .pushAndPull(let pushes, let pulls, let isHeld):
        #expect(isHeld == (pulls.count > 1 || !run.consistency.isExact))
        try push(pushes, to: &servers, &trace)
        trace.pulls.append(pulls)
        trace.joinedPulls += 1
        work.prepare()
        input = try pull(pulls, from: &servers)
        if pulls[0].body.version == version { return trace }
      case .reduce(let requests):
        // The last of the shards completes the sums for all; asked again, each gets its own.
        for request in requests { _ = servers.ask(.reduce(request.body), request.server) }
        input = .reduced(
          try requests.map { request in
            guard case .reduced(let sums)? = servers.ask(.reduce(request.body), request.server)
            else { throw TestError("no sums") }
            return sums
          })
      case .done(let reports):
        trace.reports = reports
        return trace
      }
    }
  }

  private func push(
    _ requests: [ServerRequest<PushRequest>], to servers: inout InProcessServers,
    _ trace: inout Trace
  ) throws {
    for request in requests {
      trace.pushes.append(Push(request))
      guard case .pushed(.accepted) = servers.ask(.push(request.body), request.server) else {
        throw TestError("server \(request.server) did not accept \(request.body.name)")
      }
    }
  }

  /// The replies to pulls, or that one of the servers is past their version.
  private func pull(
    _ requests: [ServerRequest<PullRequest>], from servers: inout InProcessServers
  ) throws -> WorkInput {
    var replies: [PullReply] = []
    var present: UInt64?
    for request in requests {
      switch servers.ask(.pull(request.body), request.server) {
      case .pulled(let reply)?: replies.append(reply)
      case .refused(let refusal)? where refusal.code == .versionSuperseded:
        present = refusal.version
      default: throw TestError("server \(request.server) gave no rows")
      }
    }
    return present.map { .versionSuperseded($0) } ?? .pulled(replies)
  }

  private func undisturbed() throws -> Trace {
    var servers = try InProcessServers(run, count: 2)
    let work = try run.engine(serverCount: 2).work(for: run.task(from: 0, shards: allShards))
    let trace = try finish(work, &servers)
    #expect(servers.refusalCount == 0)
    return trace
  }

  /// Servers at this version.
  private func servers(at version: UInt64) throws -> InProcessServers {
    var servers = try InProcessServers(run, count: 2)
    let work = try run.engine(serverCount: 2).work(for: run.task(from: 0, shards: allShards))
    _ = try finish(work, &servers, stopAt: version)
    #expect(servers.versions == [version, version])
    return servers
  }

  @Test(
    "a task that is prepared computes the same, and sends pulls with the pushes", arguments: [1, 2])
  func prepared(serverCount: Int) throws {
    func trace(_ prepares: Bool) throws -> Trace {
      var servers = try InProcessServers(run, count: serverCount)
      let work = try run.engine(serverCount: serverCount)
        .work(for: run.task(from: 0, shards: allShards))
      let trace = try finish(work, &servers, prepares: prepares)
      #expect(servers.refusalCount == 0)
      return trace
    }
    let (prepared, plain) = (try trace(true), try trace(false))
    #expect(prepared.pushes == plain.pushes && prepared.reports == plain.reports)
    #expect(prepared.pulls.map { $0.map(\.body) } == plain.pulls.map { $0.map(\.body) })
    // Not the first pull of the epoch, nor the last, which needs acknowledged pushes.
    #expect(prepared.joinedPulls == Int(run.versionsPerEpoch) - 1 && plain.joinedPulls == 0)
  }

  @Test("what was prepared for a version that is gone is not used")
  func preparedForAnotherVersion() throws {
    let all = try undisturbed()
    for present in [3, 4, run.versionsPerEpoch] as [UInt64] {
      var servers = try servers(at: present)
      let work = try run.engine(serverCount: 2).work(for: run.task(from: 1, shards: allShards))
      let trace = try finish(work, &servers, prepares: true)
      #expect(trace.pulls[1].allSatisfy { $0.body.version == present })
      #expect(trace.pushes == all.pushes.filter { $0.name.version >= present })
      #expect(trace.reports == all.reports)
    }
  }

  @Test("pulls confirm shards: none at first, then those of the task")
  func confirmations() throws {
    let pulls = try undisturbed().pulls
    #expect(pulls.count == Int(run.versionsPerEpoch) + 1)
    for (version, requests) in pulls.enumerated() {
      #expect(requests.map(\.server) == [0, 1])
      for request in requests {
        #expect(request.body.version == UInt64(version))
        #expect(request.body.confirmed == (version == 0 ? [] : allShards))
      }
    }
  }

  @Test("the pull that ends the epoch asks for no rows but for reports")
  func closingPull() throws {
    let pulls = try undisturbed().pulls
    let last = try #require(pulls.last)
    #expect(last.allSatisfy { $0.body.wantsReports && $0.body.sections.isEmpty })
    #expect(pulls.dropLast().joined().allSatisfy { !$0.body.wantsReports })
  }

  @Test("sums go to the first server with the last round of a step, and come back as reports")
  func sums() throws {
    let trace = try undisturbed()
    var sums: [UInt32: [String: Double]] = [:]
    for push in trace.pushes where push.kind == .gradient {
      let isFinalRound = push.name.version % 2 == 1
      #expect(push.sums.isEmpty == !(push.server == 0 && isFinalRound))
      for (name, value) in push.sums {
        sums[push.name.shard, default: [:]][name, default: 0] += value
      }
    }
    #expect(trace.reports.map(\.unit) == allShards)
    for report in trace.reports {
      #expect(Set(report.sums.keys) == ["loss.total", "loss.ranking", "loss.norms"])
      #expect(report.sums == sums[report.unit])
    }
  }

  @Test("initial values are written by a task that begins with version 0 and shard 0, and no other")
  func initialValues() throws {
    func begins(_ start: UInt64, _ shards: [UInt32]) throws -> PushKind? {
      let work = try run.engine(serverCount: 2).work(for: run.task(from: start, shards: shards))
      guard case .push(let requests) = try work.advance(.begin) else { return nil }
      return requests.first?.body.kind
    }
    #expect(try begins(0, [0, 2]) == .assign)
    #expect(try begins(0, [2, 0]) == .assign)
    #expect(try begins(0, [1, 2]) == nil)
    #expect(try begins(1, [0, 2]) == nil)
  }

  @Test("a task that begins in the middle of an epoch computes the same bits")
  func startsInTheMiddle() throws {
    let all = try undisturbed()
    for start in 1...run.versionsPerEpoch {
      var servers = try servers(at: start)
      let work = try run.engine(serverCount: 2)
        .work(for: run.task(from: start, shards: allShards))
      let trace = try finish(work, &servers)
      #expect(trace.pushes == all.pushes.filter { $0.name.version >= start })
      #expect(trace.reports == all.reports)
      let confirmed = trace.pulls.map { $0[0].body.confirmed }
      // At the end of the epoch all shards are confirmed.
      #expect(confirmed[0] == (start == run.versionsPerEpoch ? allShards : []))
      #expect(confirmed.dropFirst().allSatisfy { $0 == allShards })
    }
  }

  @Test("a task that is too late for a version continues at the servers' version")
  func versionGoneOnPull() throws {
    let all = try undisturbed()
    for present in [3, 4, run.versionsPerEpoch] as [UInt64] {
      var servers = try servers(at: present)
      let work = try run.engine(serverCount: 2).work(for: run.task(from: 1, shards: allShards))
      let trace = try finish(work, &servers)
      #expect(trace.pulls[1].allSatisfy { $0.body.version == present })
      #expect(trace.pulls[1].allSatisfy { $0.body.confirmed == allShards })
      #expect(trace.pushes == all.pushes.filter { $0.name.version >= present })
      #expect(trace.reports == all.reports)
    }
  }

  @Test("a step without its sums is dropped, and the task continues at the servers' version")
  func versionGoneOnReduce() throws {
    let all = try undisturbed()
    var before = try servers(at: 1)
    let work = try run.engine(serverCount: 2).work(for: run.task(from: 1, shards: allShards))
    guard case .pull(let requests) = try work.advance(.begin) else {
      Issue.record("the task did not begin with a pull")
      return
    }
    guard case .reduce = try work.advance(pull(requests, from: &before)) else {
      Issue.record("the step has no sums")
      return
    }
    var servers = try servers(at: 4)
    let trace = try finish(work, &servers, from: .versionSuperseded(4))
    #expect(trace.pulls[0].allSatisfy { $0.body.version == 4 && $0.body.confirmed == allShards })
    #expect(trace.pushes == all.pushes.filter { $0.name.version >= 4 })
    #expect(trace.reports == all.reports)
  }

  @Test("servers beyond the epoch, or behind the task, end it with an error")
  func elsewhere() throws {
    let end = run.versionsPerEpoch
    for present in [end + 1, 2, 1] {
      let work = try run.engine(serverCount: 2).work(for: run.task(from: 2, shards: allShards))
      _ = try work.advance(.begin)
      let error = #expect(throws: TrainingError.self) {
        try work.advance(.versionSuperseded(present))
      }
      #expect(error?.description.contains("version \(present)") == true)
    }
  }

  @Test("a task that does not fit the run is refused with the reason")
  func misfits() throws {
    let engine = run.engine(serverCount: 1)
    let end = run.versionsPerEpoch
    for task in [
      run.task(from: end + 1, shards: [0]), run.task(epoch: 1, from: end - 1, shards: [0]),
      run.task(from: 0, shards: [3]), run.task(from: 0, shards: [1, 1]),
      run.task(from: 0, shards: []),
      WorkerTask(
        id: 1, generation: 1,
        body: .train(epoch: 0, firstVersion: .max, startVersion: .max, shards: [0])),
    ] {
      #expect(throws: TrainingError.self) { try engine.work(for: task) }
    }
  }

  @Test("reports that lack a shard are refused")
  func missingReport() throws {
    let end = run.versionsPerEpoch
    let work = try run.engine(serverCount: 1).work(for: run.task(from: end, shards: [1, 2]))
    _ = try work.advance(.begin)
    let reply = PullReply(
      version: end, sections: [], values: .empty, reports: [UnitReport(unit: 1, sums: [:])])
    let error = #expect(throws: TrainingError.self) { try work.advance(.pulled([reply])) }
    #expect(error?.description.contains("shard 2") == true)
  }

  @Test("tasks that read a fixed version fail when it is gone")
  func fixedVersions() throws {
    let evaluated = try SmallRun(isStale: false)
    let bodies: [TaskBody] = [
      .materialize(version: 4, epoch: 0, blocks: [0]), .rank(version: 4, epoch: 0, blocks: [0]),
    ]
    var works = try bodies.map {
      try evaluated.engine(serverCount: 1).work(for: WorkerTask(id: 1, generation: 1, body: $0))
    }
    works.append(
      ReadTablesWork(
        routing: TableRouting(tables: run.model.tables, serverCount: 1), tables: [0], version: 4,
        generation: 1
      ) { _, _, _ in })
    for work in works {
      guard case .pull = try work.advance(.begin) else {
        Issue.record("no rows were requested")
        continue
      }
      let error = #expect(throws: TrainingError.self) { try work.advance(.versionSuperseded(5)) }
      #expect(error?.description.contains("version 4") == true)
      #expect(error?.description.contains("version 5") == true)
    }
  }

  @Test("every request of a task carries its generation")
  func generations() throws {
    let evaluated = try SmallRun(isStale: false)
    let engine = evaluated.engine(serverCount: 2)
    let tasks = [
      evaluated.task(generation: 7, from: 2, shards: [1]),
      WorkerTask(id: 1, generation: 7, body: .materialize(version: 4, epoch: 0, blocks: [0])),
      WorkerTask(id: 1, generation: 7, body: .rank(version: 4, epoch: 0, blocks: [0])),
    ]
    for task in tasks {
      guard case .pull(let requests) = try engine.work(for: task).advance(.begin) else {
        Issue.record("no rows were requested")
        continue
      }
      #expect(requests.allSatisfy { $0.body.generation == 7 })
    }
    let first = try engine.work(for: evaluated.task(generation: 7, from: 0, shards: [0]))
    guard case .push(let values) = try first.advance(.begin) else {
      Issue.record("no initial values were written")
      return
    }
    #expect(values.allSatisfy { $0.body.name.generation == 7 })
  }

  @Test("after a generation with another number of servers, requests go to those")
  func otherServers() throws {
    let engine = run.engine(serverCount: 2)
    for serverCount in [2, 3, 1] {
      engine.enter(serverCount: serverCount)
      let work = try engine.work(for: run.task(from: 1, shards: [1]))
      guard case .pull(let requests) = try work.advance(.begin) else {
        Issue.record("no rows were requested")
        continue
      }
      #expect(requests.map(\.server) == Array(0..<serverCount))
      #expect(requests.reduce(0) { $0 + $1.body.sections.reduce(0) { $0 + Int($1.rowCount) } } > 9)
    }
  }

  // MARK: Rows that may be stale

  /// Runs one shard alone, up to the pull of a version.
  private func alone(
    _ shard: UInt32, _ run: SmallRun, _ servers: inout InProcessServers, from start: UInt64 = 0,
    stopAt version: UInt64
  ) throws -> Trace {
    let task = run.task(from: start, shards: [shard])
    return try finish(run.engine(serverCount: 2).work(for: task), &servers, stopAt: version)
  }

  @Test("in ssp and async a shard does not wait for others, and reports its staleness")
  func staleRows() throws {
    let run = try SmallRun(consistency: .staleSynchronous(bound: 2))
    var servers = try InProcessServers(run, count: 2)
    // Shard 0 also pushes the initial values. `finish` expects no reduce from them.
    let trace = try alone(0, run, &servers, stopAt: 2)
    let gradients = trace.pushes.filter { $0.kind == .gradient }
    #expect(gradients.map(\.name.version) == [0, 0, 1, 1])
    for push in gradients {
      let isCounted = push.server == 0
      #expect(push.sums["staleness.\(push.name.version)"] == (isCounted ? 1 : nil))
      #expect(push.sums["staleness.total"] == (isCounted ? Double(push.name.version) : nil))
    }
    #expect(servers.refusalCount == 0)
  }

  @Test("a shard estimates the sums over all shards from its share of the examples")
  func estimates() throws {
    let exact = try undisturbed()
    let run = try SmallRun(consistency: .asynchronous)
    var servers = try InProcessServers(run, count: 2)
    let alone = try alone(0, run, &servers, stopAt: 2)
    // The first round of a step changes no rows of the model, and only the last reports its loss.
    func norms(_ trace: Trace) throws -> Double {
      let push = trace.pushes.first { $0.name.version == 1 && $0.name.shard == 0 && $0.server == 0 }
      return try #require(push?.sums["loss.norms"])
    }
    let ratio = try norms(alone) / norms(exact)
    // Without the other two thirds of the examples it would be about 0.58.
    #expect((0.75...1.3).contains(ratio) && ratio != 1, "\(ratio)")
  }

  @Test("a shard skips versions that all servers have passed")
  func behindAll() throws {
    let run = try SmallRun(consistency: .staleSynchronous(bound: 2))
    var servers = try InProcessServers(run, count: 2)
    let all = run.task(from: 0, shards: allShards)
    _ = try finish(run.engine(serverCount: 2).work(for: all), &servers, stopAt: 3)
    #expect(servers.versions == [3, 3])
    let trace = try alone(1, run, &servers, from: 1, stopAt: 4)
    #expect(trace.pulls.map { $0[0].body.version } == [1, 3, 4])
    #expect(trace.pushes.map(\.name.version) == [3, 3])
  }

  @Test("rows that are older than allowed are refused with the oldest allowed version")
  func tooStale() throws {
    let run = try SmallRun(consistency: .staleSynchronous(bound: 2))
    let work = try run.engine(serverCount: 1).work(for: run.task(from: 4, shards: [1]))
    guard case .pull(let requests) = try work.advance(.begin) else {
      Issue.record("no pull")
      return
    }
    let pull = requests[0].body
    let count = pull.sections.reduce(0) { $0 + Int($1.rowCount * $1.width) }
    let reply = PullReply(
      version: 1, sections: pull.sections,
      values: .copying([Float](repeating: 0, count: count)))
    let error = #expect(throws: TrainingError.self) { try work.advance(.pulled([reply])) }
    let words = "it sent version 1 with 2 tables, but version 4 (2 at the oldest)"
    #expect("\(error as Any)".contains(words))
  }
}
