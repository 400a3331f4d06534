import Runtime

/// The processor time and memory of a step on the data of a probe, with what they depend on.
package struct MeasuredStep: Sendable {
  package let size: RunSize
  /// Bytes of the first worker's messages in a step, both ways, as they were encoded.
  package let bytes: Double
  package let messages: Double
  /// Seconds of the worker's computation, without messages.
  let computing: Double
  /// Seconds of all servers together: answering, adding gradients, updating rows.
  let serving: Double
  /// Seconds for encoding and decoding, for each message and byte: of the worker, of a server.
  let workerCoding: Double
  let serverCoding: Double
  /// Bytes by which a worker's computations increase its resident memory.
  let workerMemory: Double

  /// Rows that are touched whatever they are: nodes and edges of the graphs.
  var graphSize: Double { Double(size.users + size.items) + 2 * size.counts.total }

  /// - Parameters:
  ///   - warmUp: steps that are not measured.
  ///   - steps: that are measured at most.
  ///   - seconds: of processor time to measure for, at most.
  /// - Throws: `TrainingError` if a step fails.
  package init(_ setup: RunSetup, warmUp: Int = 3, steps: Int = 12, seconds: Double) throws {
    size = RunSize(setup)
    let probe = try StepProbe(setup)
    try probe.run(warmUp: warmUp, steps: steps, seconds: seconds)
    bytes = probe.measured.bytes
    messages = probe.measured.messageCount
    computing = probe.measured.computing
    serving = probe.measured.serving
    workerCoding = probe.measured.workerCoding
    serverCoding = probe.measured.serverCoding
    workerMemory = Double(probe.measured.workerMemory)
  }
}
