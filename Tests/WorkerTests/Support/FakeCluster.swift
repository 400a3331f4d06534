import Protocol
import Recommenders
import Tables
import Tensors
import Worker

/// Real workers, fake servers, and a minimal coordinator, connected by links that delay,
/// lose and repeat messages: a run of two epochs in which any fault may happen at any time. After a
/// while only messages are lost, so that a run that does not end has an error.
struct FakeCluster {
  /// How often faults happen: once in so many events, 0 for never.
  struct Faults {
    var lostMessage = 0
    var repeatedMessage = 0
    var killedWorker = 0
    var movedShard = 0
    var forgottenPeer = 0
    var restartedCoordinator = 0
    var lostServer = 0

    static let none = Faults()
    static let all = Faults(
      lostMessage: 40, repeatedMessage: 40, killedWorker: 400, movedShard: 60, forgottenPeer: 200,
      restartedCoordinator: 500, lostServer: 700)
  }

  private struct Link: Hashable {
    let from: String
    let to: String
  }

  private enum Delivery {
    case request(DataRequest, server: Int, worker: Int, connection: Int)
    case reply(DataReply, server: Int, worker: Int, connection: Int)
    case envelope(CoordinatorEnvelope, worker: Int)
    case note(NodeMessage, worker: Int)
  }

  private enum Job {
    case setUp(Welcome)
    case begin(WorkerTask)
    case advance(UInt64, WorkInput)
  }

  private struct Worker {
    var session: WorkerSession
    let engine: WorkerEngine
    var work: (any Work)?
    var jobs: [Job] = []
    var connection = 0
  }

  private static let epochs = 2

  private let run: SmallRun
  private let serverCount: Int
  private let workerCount: Int
  private var faults: Faults
  private var random: SeededGenerator
  private(set) var now = 0.0
  private(set) var servers: [FakeServer]
  private var workers: [Int: Worker] = [:]
  private var nextWorker = 0
  private var links: [Link: [Delivery]] = [:]
  private(set) var violations: [String] = []

  // The coordinator.
  private var term: UInt64 = 1
  private var generation: UInt64 = 1
  private var epoch = 0
  private var nextTask: UInt64 = 1 << 32
  private var ready: Set<Int> = []
  private var known: Set<Int> = []
  private var owner: [UInt32: Int] = [:]
  private var tasks: [Int: WorkerTask] = [:]
  private var reports: [UInt32: UnitReport] = [:]
  /// Of the finished epochs, in the order of the shards.
  private(set) var finished: [[UnitReport]] = []

  init(
    _ run: SmallRun, servers serverCount: Int, workers workerCount: Int, faults: Faults,
    seed: UInt64
  ) {
    self.run = run
    self.serverCount = serverCount
    self.workerCount = workerCount
    self.faults = faults
    random = SeededGenerator(seed: seed)
    servers = run.servers(serverCount)
    for _ in 0..<workerCount { startWorker() }
  }

  /// All rows of all tables.
  var rows: [[UInt32: [Float]]] {
    run.model.tables.indices.map { table in
      servers.reduce(into: [:]) { $0.merge($1.rows[table]) { first, _ in first } }
    }
  }

  /// Runs to the end.
  ///
  /// - Returns: whether it came to an end.
  mutating func runToTheEnd() -> Bool {
    for event in 0..<15_000 {
      guard finished.count < Self.epochs else { return true }
      if event == 4_000 {
        faults = Faults(lostMessage: faults.lostMessage, repeatedMessage: faults.repeatedMessage)
      }
      step()
    }
    return false
  }

  private mutating func step() {
    now += 0.01
    breakSomething()
    let busy = links.keys.filter { links[$0]?.isEmpty == false }
      .sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    let computing = workers.keys.sorted().filter { workers[$0]?.jobs.isEmpty == false }
    let choice = Int.random(in: 0..<(busy.count + computing.count + 1), using: &random)
    if choice < busy.count {
      deliver(on: busy[choice])
    } else if choice < busy.count + computing.count {
      compute(computing[choice - busy.count])
    } else {
      if busy.isEmpty, computing.isEmpty { now += 0.5 }
      for worker in workers.keys.sorted() { handle(.tick, worker) }
    }
  }

  // MARK: Faults

  private mutating func happens(_ rarity: Int) -> Bool { rarity > 0 && random.isOne(in: rarity) }

  private mutating func breakSomething() {
    if happens(faults.killedWorker),
      let worker = workers.keys.sorted().randomElement(using: &random)
    {
      lose(worker)
      startWorker()
    }
    if happens(faults.movedShard), let worker = ready.sorted().randomElement(using: &random) {
      owner[UInt32.random(in: 0..<UInt32(SmallRun.shardCount), using: &random)] = worker
      giveTasks()
    }
    if happens(faults.forgottenPeer) {
      let server = Int.random(in: 0..<serverCount, using: &random)
      if let worker = workers.keys.sorted().randomElement(using: &random) {
        servers[server].forget(peer(worker, workers[worker]?.connection ?? 0))
      }
    }
    if happens(faults.restartedCoordinator) {
      term += 1
      nextTask = term << 32
      known = []
      ready = []
      owner = [:]
      tasks = [:]
      reports = [:]
    }
    if happens(faults.lostServer) { goBack() }
  }

  /// A server was lost: all servers roll back to the last version that all have kept.
  private mutating func goBack() {
    let kept = servers.map { Set($0.snapshots.flatMap(\.keys)) }
    let common = kept.dropFirst().reduce(kept[0]) { $0.intersection($1) }
    generation += 1
    for server in servers.indices { violations += servers[server].violations }
    if let version = common.max() {
      servers = servers.map { server in
        let snapshot = server.snapshots.compactMap { $0[version] }.first ?? server
        return snapshot.restored(generation: generation)
      }
    } else {
      servers = run.servers(serverCount, generation: generation)
    }
    let version = servers[0].version
    epoch = min(finished.count, Int(version / run.versionsPerEpoch))
    ready = []
    owner = [:]
    tasks = [:]
    reports = [:]
    for worker in known.sorted() { welcome(worker) }
  }

  private mutating func startWorker() {
    let hello = NodeHello(
      role: .worker, incarnation: UInt64(nextWorker), runID: "", dataEndpoint: "", host: "here",
      processID: 1)
    workers[nextWorker] = Worker(
      session: WorkerSession(hello: hello, at: now), engine: run.engine(serverCount: serverCount))
    nextWorker += 1
  }

  private mutating func lose(_ worker: Int) {
    workers[worker] = nil
    known.remove(worker)
    ready.remove(worker)
    tasks[worker] = nil
    owner = owner.filter { $0.value != worker }
    giveTasks()
  }

  // MARK: Links

  private mutating func post(_ delivery: Delivery) {
    if happens(faults.lostMessage) { return }
    let link =
      switch delivery {
      case .request(_, let server, let worker, _): Link(from: "w\(worker)", to: "s\(server)")
      case .reply(_, let server, let worker, _): Link(from: "s\(server)", to: "w\(worker)")
      case .envelope(_, let worker): Link(from: "c", to: "w\(worker)")
      case .note(_, let worker): Link(from: "w\(worker)", to: "c")
      }
    links[link, default: []].append(delivery)
    if happens(faults.repeatedMessage) { links[link, default: []].append(delivery) }
  }

  private mutating func deliver(on link: Link) {
    guard let delivery = links[link]?.removeFirst() else { return }
    switch delivery {
    case .request(let request, let server, let worker, let connection):
      for answer in servers[server].handle(request, from: peer(worker, connection)) {
        post(
          .reply(
            answer.reply, server: server, worker: answer.peer / 1000,
            connection: answer.peer % 1000))
      }
    case .reply(let reply, let server, let worker, let connection):
      // Closed connections deliver nothing.
      guard workers[worker]?.connection == connection else { return }
      handle(.reply(reply, server: server), worker)
    case .envelope(let envelope, let worker):
      handle(.coordinator(envelope), worker)
    case .note(let message, let worker):
      if workers[worker] != nil { hear(message, from: worker) }
    }
  }

  private func peer(_ worker: Int, _ connection: Int) -> Int { worker * 1000 + connection }

  // MARK: Workers

  private mutating func handle(_ event: WorkerEvent, _ worker: Int) {
    for action in workers[worker]?.session.handle(event, at: now) ?? [] {
      switch action {
      case .send(let message): post(.note(message, worker: worker))
      case .sendHeartbeat(let generation, let task):
        post(
          .note(
            .heartbeat(
              Heartbeat(
                residentBytes: 0, peakResidentBytes: 0, cpuSeconds: 0, taskProgress: 0,
                taskID: task, generation: generation)), worker: worker))
      case .setUp(let welcome): workers[worker]?.jobs.append(.setUp(welcome))
      case .connect: workers[worker]?.connection += 1
      case .request(let request, let server):
        post(
          .request(
            request, server: server, worker: worker, connection: workers[worker]?.connection ?? 0))
      case .probe, .warn: break  // No connection is cut.
      case .begin(let task): workers[worker]?.jobs.append(.begin(task))
      case .advance(let task, let input): workers[worker]?.jobs.append(.advance(task, input))
      case .leave(let departure):
        violations.append("worker \(worker) left: \(departure)")
        lose(worker)
      }
    }
  }

  private mutating func compute(_ worker: Int) {
    guard let job = workers[worker]?.jobs.removeFirst() else { return }
    switch job {
    case .setUp(let welcome):
      workers[worker]?.engine.enter(serverCount: Int(welcome.serverCount))
      handle(.setUp(generation: welcome.generation), worker)
    case .begin(let task):
      do {
        let work = try workers[worker]?.engine.work(for: task)
        workers[worker]?.work = work
        advance(worker, task.id, .begin)
      } catch {
        violations.append("\(error)")
      }
    case .advance(let task, let input):
      advance(worker, task, input)
    }
  }

  private mutating func advance(_ worker: Int, _ task: UInt64, _ input: WorkInput) {
    guard let work = workers[worker]?.work else { return }
    do {
      handle(.advanced(task: task, try work.advance(input)), worker)
    } catch {
      handle(.taskFailed(task: task, TaskFailure(describing: error)), worker)
    }
  }

  // MARK: Coordinator

  private mutating func send(_ message: CoordinatorMessage, to worker: Int) {
    post(.envelope(CoordinatorEnvelope(term: term, message: message), worker: worker))
  }

  private mutating func welcome(_ worker: Int) {
    send(
      .welcome(
        Welcome(
          runID: "run", generation: generation, rank: UInt32(worker), configuration: "",
          tables: [], seed: SmallRun.seed, shardCount: UInt32(SmallRun.shardCount),
          stepsPerEpoch: UInt32(run.versionsPerEpoch), roundsPerStep: 1,
          serverCount: UInt32(serverCount), heartbeatInterval: 1)), to: worker)
    send(
      .servers(generation: generation, endpoints: (0..<serverCount).map { "tcp://s:\($0)" }),
      to: worker)
  }

  private mutating func hear(_ message: NodeMessage, from worker: Int) {
    if case .hello = message {
      known.insert(worker)
      return welcome(worker)
    }
    guard known.contains(worker) else {
      return send(.refused(Refusal(code: .helloNeeded, message: "unknown")), to: worker)
    }
    switch message {
    case .ready(let generation) where generation == self.generation:
      ready.insert(worker)
      giveTasks()
    case .heartbeat(let heartbeat):
      send(.heartbeatAcknowledged(generation: generation), to: worker)
      if heartbeat.generation != generation || !ready.contains(worker) {
        welcome(worker)
      } else if let task = tasks[worker], task.id != heartbeat.taskID {
        send(.task(task), to: worker)
      }
    case .taskDone(let id, let reports):
      guard let task = tasks[worker], task.id == id else { return }
      tasks[worker] = nil
      for report in reports where self.reports[report.unit] == nil {
        self.reports[report.unit] = report
      }
      finishEpochIfDone()
    case .taskFailed(let id, let failure) where tasks[worker]?.id == id:
      violations.append("task failed: \(failure.message)")
      tasks[worker] = nil
    default: break
    }
  }

  private mutating func finishEpochIfDone() {
    guard reports.count == SmallRun.shardCount else { return }
    let all = reports.keys.sorted().compactMap { reports[$0] }
    if epoch < finished.count {
      if run.consistency.isExact, finished[epoch] != all {
        violations.append("epoch \(epoch) has other sums when trained again")
      }
    } else {
      finished.append(all)
    }
    reports = [:]
    tasks = [:]
    epoch += 1
    if epoch < Self.epochs { giveTasks() }
  }

  /// Assigns shards without an owner, and sends a task to every worker with a changed share.
  private mutating func giveTasks() {
    guard !ready.isEmpty, epoch < Self.epochs else { return }
    var shares: [Int: [UInt32]] = [:]
    for shard in 0..<UInt32(SmallRun.shardCount) where reports[shard] == nil {
      if let worker = owner[shard], !ready.contains(worker) { owner[shard] = nil }
      let worker = owner[shard] ?? ready.sorted()[Int(shard) % ready.count]
      owner[shard] = worker
      shares[worker, default: []].append(shard)
    }
    let first = UInt64(epoch) * run.versionsPerEpoch
    // The versions in heartbeats may be a little old.
    let lag = UInt64.random(in: 0...1, using: &random)
    let lowest = servers.map(\.version).min() ?? 0
    let start = max(first, lowest - min(lag, lowest))
    for worker in ready.sorted() {
      guard let share = shares[worker] else {
        continue
      }
      if let task = tasks[worker], case .train(_, first, _, let shards) = task.body,
        shards == share
      {
        continue
      }
      let task = run.task(
        nextTask, generation: generation, epoch: UInt32(epoch), from: start, shards: share)
      nextTask += 1
      tasks[worker] = task
      send(.task(task), to: worker)
    }
  }
}
