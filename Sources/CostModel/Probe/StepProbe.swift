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
  private var servers: [ServerState<Int>]
  private var members: [ProbeMember]
  private var lastID: UInt64 = 0
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
      try ServerState(
        rank: rank, serverCount: count, runID: "probe", generation: 1, tables: setup.model.tables,
        seed: setup.seed, shardCount: shards, schedule: schedule,
        optimizer: OptimizerConfiguration(configuration))
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
    for member in members {
      for server in 0..<count {
        let hello = DataHello(runID: "probe", generation: 1, sender: "worker \(member.id)")
        lastID += 1
        _ = servers[server].answer(DataRequest(id: lastID, body: .hello(hello)), from: member.id)
      }
    }
  }

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
      for index in members.indices where members[index].isReady {
        try advance(index)
        isStuck = false
      }
      guard !isStuck else { throw TrainingError("The probe's workers wait for each other.") }
    }
  }

  private func advance(_ index: Int) throws {
    let member = members[index]
    let isOwn = index == 0
    let input = try member.takeInput(
      stepsPerEpoch: schedule.stepsPerEpoch, roundsPerStep: setup.roundsPerStep)
    // The processes of a cluster find the bytes of others' messages in no cache of their own.
    caches.evict()
    let output = try measured.computing(isOwn) { try member.work?.advance(input) }
    switch output {
    case nil: throw TrainingError("The probe has no work.")
    case .pull(let requests):
      member.pulledVersion = requests.first.map { Int($0.body.version) } ?? 0
      try send(requests.map { ($0.server, .pull($0.body)) }, of: member, isOwn)
    case .reduce(let requests):
      try send(requests.map { ($0.server, .reduce($0.body)) }, of: member, isOwn)
    case .push(let requests):
      try send(requests.map { ($0.server, .push($0.body)) }, of: member, isOwn)
    case .done: member.epoch += 1
    }
  }

  private func send(
    _ requests: [(server: Int, body: DataRequestBody)], of member: ProbeMember, _ isOwn: Bool
  ) throws {
    member.awaited = requests.map { _ in
      lastID += 1
      return lastID
    }
    caches.evict()
    member.awaitsPush = requests.contains { if case .push = $0.body { true } else { false } }
    for (id, (server, body)) in zip(member.awaited, requests) {
      let request = DataRequest(id: id, body: body)
      let message = measured.coding(isOwn, .worker) { request.encoded() }
      if isOwn { measured.note(message, body) }
      let received = try measured.coding(isOwn, .server) { try DataRequest(decoding: message) }
      let replies = measured.serving { servers[server].answer(received, from: member.id) }
      for reply in replies {
        let toOwn = reply.peer == 0
        let message = measured.coding(toOwn, .server) { reply.reply.encoded() }
        if toOwn { measured.noteReply(message) }
        let answer = try measured.coding(toOwn, .worker) { try DataReply(decoding: message) }
        if case .refused(let refusal) = answer.body {
          throw TrainingError("The probe's server \(server) refused: \(refusal.message)")
        }
        members.first { $0.id == reply.peer }?.replies[answer.requestID] = answer.body
      }
    }
  }
}
