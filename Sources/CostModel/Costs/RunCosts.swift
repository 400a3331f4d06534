import Configuration
import Foundation
import Recommenders
import Runtime
import Settings

/// What a run costs, as a function of its sizes: messages, processor time, memory and disk.
package struct RunCosts: Sendable {
  package let size: RunSize
  /// Of a batch.
  package let distinct: DistinctRows
  package let traffic: StepTraffic
  /// nil where nothing was measured.
  package let processor: ProcessorSeconds?
  package let memory: MemoryNeeds
  /// Threads of each worker and of each server.
  package let threads: (worker: Int, server: Int)
  /// What the processor times were measured on.
  package let measuredOn: [String]

  /// - Parameters:
  ///   - calibration: of a run of the same configuration.
  ///   - program: bytes of memory of a process that has loaded nothing.
  /// - Throws: `CheckpointError` for tables that no checkpoint can hold.
  package init(_ size: RunSize, _ calibration: Calibration, program: Int) throws {
    self.size = size
    distinct = .meanOfEpoch(
      share: 1, batchSize: size.batchSize,
      epochSteps: size.configuration.training.epochSteps, of: size.counts)
    let traffic = StepTraffic(size, calibration.shape)
    self.traffic = traffic
    processor =
      calibration.transport == nil ? nil : ProcessorSeconds(size, traffic, calibration)
    memory = try MemoryNeeds(size, traffic, calibration, program: program)
    let computing = ComputingThreads(size.configuration)
    threads = (computing.perWorker, computing.perServer)
    measuredOn = calibration.steps.map {
      "\($0.size.users) users, \($0.size.items) items, \($0.size.interactions) interactions"
    }
  }
}

extension RunCosts: Encodable {
  private enum Key: String, CodingKey {
    case model, objective, optimizer, data, processes, distinct, traffic, processor, memory, disk
    case schemaVersion = "schema_version"
    case batchSize = "batch_size"
    case stepsPerEpoch = "steps_per_epoch"
    case versionsPerStep = "versions_per_step"
    case measuredOn = "processor_measured_on"
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let configuration = size.configuration
    try container.encode(1, forKey: .schemaVersion)
    try container.encode(configuration.model.model, forKey: .model)
    try container.encode(configuration.model.objective.rawValue, forKey: .objective)
    try container.encode(configuration.training.optimizer.rawValue, forKey: .optimizer)
    try container.encode(
      ["users": size.users, "items": size.items, "interactions": size.interactions], forKey: .data)
    try container.encode(
      [
        "workers": size.workers, "servers": size.servers, "shards": size.shards,
        "threads_per_worker": threads.worker, "threads_per_server": threads.server,
      ], forKey: .processes)
    try container.encode(size.batchSize, forKey: .batchSize)
    try container.encode(size.stepsPerEpoch, forKey: .stepsPerEpoch)
    try container.encode(size.roundsPerStep, forKey: .versionsPerStep)
    try container.encode(
      ["users": distinct.users, "items": distinct.items], forKey: .distinct)
    try container.encode(traffic, forKey: .traffic)
    try container.encode(memory, forKey: .memory)
    try container.encode(
      ["checkpoint": memory.checkpoint, "total": memory.disk], forKey: .disk)
    guard let processor else { return }
    try container.encode(processor, forKey: .processor)
    try container.encode(measuredOn, forKey: .measuredOn)
  }
}

extension StepTraffic: Encodable {
  private enum Key: String, CodingKey { case worker, server, servers }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(worker, forKey: .worker)
    try container.encode(server, forKey: .server)
    try container.encode(servers, forKey: .servers)
  }
}

extension MemoryNeeds: Encodable {
  private enum Key: String, CodingKey { case processes, mapped, total }
  private enum ProcessKey: String, CodingKey { case role, count, resident, own, parts }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    var list = container.nestedUnkeyedContainer(forKey: .processes)
    for process in processes {
      var entry = list.nestedContainer(keyedBy: ProcessKey.self)
      try entry.encode(process.role, forKey: .role)
      try entry.encode(process.count, forKey: .count)
      try entry.encode(process.resident, forKey: .resident)
      try entry.encode(process.own, forKey: .own)
      try entry.encode(process.parts, forKey: .parts)
    }
    try container.encode(mapped, forKey: .mapped)
    try container.encode(total, forKey: .total)
  }
}
