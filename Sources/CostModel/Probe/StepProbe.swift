import Configuration
import Datasets
import Foundation
import ParameterServer
import Protocol
import Recommenders
import Runtime
import Settings
import Tables
import Tensors
import Worker

/// Runs steps of a run on small data in this process, with the code of real workers and servers:
/// one worker with as many shards as each worker has, and one with all others. Messages are encoded
/// and decoded, and passed on without a network.
final class StepProbe {
  private let setup: RunSetup
  private let batchSize: Int
  private let serverCount: Int
  private let schedule: StepSchedule
  private var servers: [ServerSession<Int>]
  private var members: [ProbeMember]
  private let caches = ProcessorCaches()
  private(set) var measured = ProbeMeasurement()

  /// - Parameters:
  ///   - setup: on the probe's data.
  ///   - batchSize: replaces that of the settings, if not nil.
  /// - Throws: `ParameterServerError`, `TrainingError`.
  init(_ setup: RunSetup, batchSize: Int? = nil) throws {
    self.setup = setup
    let configuration = setup.configuration
    let size = batchSize ?? configuration.training.batchSize
    self.batchSize = size
    let count = configuration.cluster.servers
    serverCount = count
    let steps = max(1, (setup.dataset.trainUsers.count + size - 1) / size)
    let schedule = StepSchedule(stepsPerEpoch: steps, roundsPerStep: setup.roundsPerStep)
    self.schedule = schedule
    let shards = configuration.training.shards
    servers = try (0..<count).map { rank in
      let state = try ServerState<Int>(
        rank: rank, serverCount: count, runID: Self.runID, generation: 1,
        tables: setup.model.tables, seed: setup.seed, shardCount: shards, schedule: schedule,
        optimizer: OptimizerConfiguration(configuration),
        consistency: Consistency(configuration))
      return ServerSession(serving: state, schedule)
    }
    let own = (shards + configuration.cluster.workers - 1) / configuration.cluster.workers
    members = []
    for (id, range) in [0..<own, own..<shards].enumerated() where !range.isEmpty {
      members.append(
        ProbeMember(
          id: id, shards: range.map { UInt32($0) },
          engine: WorkerEngine(
            dataset: setup.dataset, model: setup.model, serverCount: count,
            setting: WorkerEngine.Setting(
              seed: setup.seed, shardCount: shards, roundsPerStep: setup.roundsPerStep,
              batchSize: size, topK: [1], rankBlockSize: 1, materializeBlockSize: 1))))
    }
    for index in members.indices { try greet(index) }
  }

  private static let runID = "probe"

  /// Runs whole steps.
  ///
  /// - Parameters:
  ///   - warmUp: steps that are not measured.
  ///   - steps: that are measured at most.
  ///   - seconds: of processor time, after which no further step is begun.
  /// - Throws: `TrainingError`.
  func run(warmUp: Int, steps: Int, seconds: Double) throws {
    let rounds = setup.roundsPerStep
    // Memory that was used before must count when a step uses it again.
    ProcessMemory.release()
    try advance(toVersion: warmUp * rounds)
    measured.begin(servers)
    let time = ProcessorTime()
    var done = 0
    while done < steps, done == 0 || time.elapsed < seconds {
      try advance(toVersion: (warmUp + done + 1) * rounds)
      done += 1
    }
    measured.end(steps: done, servers: servers)
  }

  /// Runs the first step and reads off its messages. Call it before anything else.
  func shape() throws -> StepShape {
    measured.keepsMessages = true
    try advance(toVersion: setup.roundsPerStep)
    let messages = ProbeMessages(
      measured.messages, shards: members[0].shards.map(Int.init), setup: setup,
      batchSize: batchSize)
    measured.keepsMessages = false
    return StepShape(
      versions: (0..<setup.roundsPerStep).map { messages.shape(ofVersion: UInt64($0)) },
      probeUsers: setup.dataset.userCount, probeItems: setup.dataset.itemCount)
  }

  // MARK: Running

  /// Runs until the first worker asks for a version.
  private func advance(toVersion end: Int) throws {
    while members[0].pulledVersion < end {
      var isStuck = true
      for index in members.indices {
        guard let input = try members[index].takeInput(schedule) else { continue }
        try advance(index, input)
        isStuck = false
      }
      guard !isStuck else { throw TrainingError("The probe's workers wait for each other.") }
    }
  }

  private func advance(_ index: Int, _ input: WorkInput) throws {
    let member = members[index]
    let isOwn = index == 0
    // The processes of a cluster find the bytes of others' messages in no cache of their own.
    caches.evict()
    let output = try measured.computing(isOwn) { try member.work?.advance(input) }
    guard let output else { throw TrainingError("The probe has no work.") }
    if case .pull(let requests) = output {
      member.pulledVersion = requests.first.map { Int($0.body.version) } ?? 0
    }
    caches.evict()
    let actions = measured.coding(isOwn, .worker) { member.conversation.perform(output, at: 0) }
    try perform(actions, of: index)
  }

  private func greet(_ index: Int) throws {
    let hello = DataHello(
      runID: Self.runID, generation: 1, sender: "worker \(members[index].id)")
    try perform(
      members[index].conversation.greet(hello, serverCount: serverCount, at: 0), of: index)
  }

  private func perform(_ actions: [ServerConversation.Action], of index: Int) throws {
    let member = members[index]
    for action in actions {
      switch action {
      case .request(let request, let server), .probe(let request, let server):
        try pass(request, to: server, of: index)
      case .advance(let input): member.note(input)
      case .done: member.epoch += 1
      case .greeted: break
      case .lost(let server): throw TrainingError("The probe's server \(server) is lost.")
      case .refused(let failure): throw TrainingError(failure.message)
      case .outdated(let message): throw TrainingError(message)
      }
    }
  }

  /// Passes a request to a server, and its replies to the workers.
  private func pass(_ request: DataRequest, to server: Int, of index: Int) throws {
    let isOwn = index == 0
    let message = measured.coding(isOwn, .worker) { request.encoded() }
    if isOwn { measured.note(message, request.body) }
    let received = try measured.coding(isOwn, .server) { try DataRequest(decoding: message) }
    let actions = measured.serving {
      servers[server].handle(.request(received, from: members[index].id), at: 0)
    }
    for case .reply(let reply, let peer) in actions {
      guard let receiver = members.firstIndex(where: { $0.id == peer }) else { continue }
      let isOwn = receiver == 0
      let message = measured.coding(isOwn, .server) { reply.encoded() }
      if isOwn { measured.noteReply(message) }
      let actions = try measured.coding(isOwn, .worker) {
        let answer = try DataReply(decoding: message)
        return members[receiver].conversation.handle(answer, from: server, at: 0)
      }
      try perform(actions, of: receiver)
    }
  }
}
