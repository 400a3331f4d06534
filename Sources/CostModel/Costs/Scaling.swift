import Foundation
import Runtime
import Simulation

/// What connects the machines of a cluster.
package struct NetworkModel: Sendable, Equatable, Encodable {
  /// Of the cluster.
  package var machines: Int
  /// Seconds from one machine to another.
  package var latency: Double
  /// Bytes per second of a machine, in each direction.
  package var bandwidth: Double

  package init(machines: Int, latency: Double, bandwidth: Double) {
    self.machines = machines
    self.latency = latency
    self.bandwidth = bandwidth
  }
}

/// How the time of a step follows the number of workers: the same batch on more and more of them,
/// with servers in proportion, in a simulated cluster with measured costs.
package struct Scaling: Sendable {
  /// One cluster.
  package struct Point: Sendable {
    package let workers: Int
    package let servers: Int
    package let timing: StepTiming
    /// Bytes of the worker with most shards, and of the busiest server, both ways.
    package let workerBytes: Double
    package let serverBytes: Double
    /// Memory of the largest server and of a worker.
    package let serverMemory: Int
    package let workerMemory: Int
  }

  package let points: [Point]

  /// - Parameters:
  ///   - size: the largest cluster; its shards stay in smaller ones.
  ///   - threads: that a worker and a server compute on.
  /// - Throws: `CheckpointError` for tables that no checkpoint can hold.
  package init(
    _ size: RunSize, _ calibration: Calibration, threads: (worker: Int, server: Int),
    network: NetworkModel, program: Int
  ) throws {
    points = try Self.workerCounts(size.workers).map { workers in
      var cluster = size
      cluster.workers = workers
      cluster.servers = max(1, size.servers * workers / size.workers)
      return try Self.point(cluster, calibration, threads: threads, network, program: program)
    }
  }

  /// 1, 2, 4 … and the largest.
  private static func workerCounts(_ most: Int) -> [Int] {
    var counts: [Int] = []
    var next = 1
    while next < most {
      counts.append(next)
      next *= 2
    }
    return counts + [most]
  }

  private static func point(
    _ size: RunSize, _ calibration: Calibration, threads: (worker: Int, server: Int),
    _ network: NetworkModel, program: Int
  ) throws -> Point {
    let traffic = StepTraffic(size, calibration.shape)
    let processor = ProcessorSeconds(size, traffic, calibration)
    let memory = try MemoryNeeds(size, traffic, calibration, program: program)
    let rounds = Double(size.roundsPerStep)
    func exchange(_ kind: StepExchange) -> ClusterCosts.Exchange? {
      guard let traffic = traffic.exchanges[kind], traffic.sent.messages > 0 else { return nil }
      return ClusterCosts.Exchange(
        requestBytes: traffic.sent.bytes / traffic.sent.messages,
        replyBytes: traffic.received.bytes / traffic.received.messages)
    }
    let serverBytes = max(1, traffic.server.both.bytes)
    let timing = StepTimeline.timing(
      ClusterCosts(
        workers: size.busyWorkers, servers: size.servers,
        shardsPerWorker: size.shardsPerWorker, machines: network.machines,
        workerSeconds: processor.worker.total / Double(threads.worker) / rounds,
        serverSecondsPerByte: processor.server.computing / Double(threads.server) / serverBytes,
        // Messages are sent and received by one thread.
        serverSecondsPerMessage: processor.server.messages
          / max(1, traffic.server.received.messages),
        pull: exchange(.pull) ?? .init(), push: exchange(.push) ?? .init(),
        reduction: exchange(.propagated), latency: network.latency,
        bandwidth: network.bandwidth))
    func resident(_ role: String) -> Int {
      memory.processes.first { $0.role == role }?.resident ?? 0
    }
    var step = timing
    step.stepSeconds *= rounds
    return Point(
      workers: size.workers, servers: size.servers, timing: step,
      workerBytes: traffic.worker.both.bytes, serverBytes: traffic.server.both.bytes,
      serverMemory: resident("server"), workerMemory: resident("worker"))
  }
}

extension Scaling {
  /// A table with a line per cluster.
  package var lines: [String] {
    let first = points.first?.timing.stepSeconds ?? 0
    func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
    return TextTable(
      header: [
        "workers", "servers", "step, ms", "faster", "worker busy", "server busy", "sending",
        "receiving", "MB of a server", "server", "worker", "limit",
      ],
      rows: points.map { point in
        [
          "\(point.workers)", "\(point.servers)",
          String(format: "%.2f", point.timing.stepSeconds * 1000),
          String(format: "%.2f", first / max(1e-12, point.timing.stepSeconds)),
          percent(point.timing.workerUse), percent(point.timing.serverUse),
          percent(point.timing.sendingUse), percent(point.timing.receivingUse),
          String(format: "%.2f", point.serverBytes / 1e6), RunCosts.size(point.serverMemory),
          RunCosts.size(point.workerMemory), point.timing.limit.rawValue,
        ]
      }, leftColumns: 0
    ).lines
  }
}

extension Scaling: Encodable {
  private enum Key: String, CodingKey {
    case workers, servers, limit
    case stepSeconds = "step_seconds"
    case workerUse = "worker_use"
    case serverUse = "server_use"
    case sendingUse = "sending_use"
    case receivingUse = "receiving_use"
    case workerBytes = "worker_bytes"
    case serverBytes = "server_bytes"
    case serverMemory = "server_memory"
    case workerMemory = "worker_memory"
  }

  package func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for point in points {
      var entry = list.nestedContainer(keyedBy: Key.self)
      try entry.encode(point.workers, forKey: .workers)
      try entry.encode(point.servers, forKey: .servers)
      try entry.encode(point.timing.stepSeconds, forKey: .stepSeconds)
      try entry.encode(point.timing.workerUse, forKey: .workerUse)
      try entry.encode(point.timing.serverUse, forKey: .serverUse)
      try entry.encode(point.timing.sendingUse, forKey: .sendingUse)
      try entry.encode(point.timing.receivingUse, forKey: .receivingUse)
      try entry.encode(point.workerBytes, forKey: .workerBytes)
      try entry.encode(point.serverBytes, forKey: .serverBytes)
      try entry.encode(point.serverMemory, forKey: .serverMemory)
      try entry.encode(point.workerMemory, forKey: .workerMemory)
      try entry.encode(point.timing.limit.rawValue, forKey: .limit)
    }
  }
}
