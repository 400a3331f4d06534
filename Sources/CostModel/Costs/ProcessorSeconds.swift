import Runtime

/// Processor seconds of a step, by process and part: measured on small data on this machine
/// (``Calibration``), and carried over to the run's size.
///
/// - Computing of a worker follows the rows of its share: triplets and distinct rows, or, where a
///   step reads whole tables, a line through two measurements over nodes and edges.
/// - Serving follows the bytes that servers receive and send.
/// - Messages cost so much each, and so much a byte, to encode, send, receive and decode.
package struct ProcessorSeconds: Sendable, Equatable, Encodable {
  /// Of one process, in a step.
  package struct Process: Sendable, Equatable, Encodable {
    package let computing: Double
    /// Encoding, sending, receiving and decoding.
    package let messages: Double

    package var total: Double { computing + messages }
  }

  /// The worker with most shards.
  package let worker: Process
  /// The server with most bytes.
  package let server: Process
  /// Of all workers and servers.
  package let total: Double

  package init(_ size: RunSize, _ traffic: StepTraffic, _ calibration: Calibration) {
    let last = calibration.steps[calibration.steps.count - 1]
    let probed = StepTraffic(last.size, calibration.shape)
    let transport = calibration.transport
    func messages(_ traffic: TwoWayTraffic, coding: Double) -> Double {
      // Headers and payloads are encoded and decoded at the pace of the probe.
      coding * traffic.both.messages / max(1, probed.worker.both.messages)
        + (transport.map {
          $0.secondsPerMessage * traffic.both.messages + $0.secondsPerByte * traffic.both.bytes
        } ?? 0)
    }
    worker = Process(
      computing: Self.computing(size, calibration.steps),
      messages: messages(traffic.worker, coding: last.workerCoding))
    let serving = last.serving / max(1, probed.servers.both.bytes)
    server = Process(
      computing: serving * traffic.server.both.bytes,
      messages: messages(traffic.server, coding: last.serverCoding))
    let busy = Double(size.shards) / Double(size.shardsPerWorker)
    total =
      worker.total * busy + serving * traffic.servers.both.bytes
      + messages(traffic.servers, coding: last.serverCoding)
  }

  private static func computing(_ size: RunSize, _ steps: [MeasuredStep]) -> Double {
    let last = steps[steps.count - 1]
    guard steps.count > 1 else {
      return last.computing * work(size) / max(1, work(last.size))
    }
    return line(size, steps, \.computing)
  }

  /// A line through two measurements over nodes and edges; proportional beyond them if they are not
  /// ascending.
  static func line(
    _ size: RunSize, _ steps: [MeasuredStep], _ value: KeyPath<MeasuredStep, Double>
  ) -> Double {
    let (first, last) = (steps[0], steps[steps.count - 1])
    let nodes = Double(size.users + size.items) + 2 * size.counts.total
    guard last.graphSize > first.graphSize, last[keyPath: value] > first[keyPath: value] else {
      return last[keyPath: value] * nodes / last.graphSize
    }
    let slope =
      (last[keyPath: value] - first[keyPath: value]) / (last.graphSize - first.graphSize)
    return last[keyPath: value] + slope * (nodes - last.graphSize)
  }

  /// Triplets and distinct rows of the worker with most shards.
  private static func work(_ size: RunSize) -> Double {
    let share = Double(size.shardsPerWorker) / Double(size.shards)
    let rows = size.rows(share: share).all
    let triplets = size.tripletsPerStep * share
    return triplets + rows.users + rows.items
  }
}
