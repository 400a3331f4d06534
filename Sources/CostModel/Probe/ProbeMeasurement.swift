import ParameterServer
import Protocol
import Runtime

/// What the steps of a probe took: processor time by part, messages and memory. The worker's
/// figures are those of the first worker.
struct ProbeMeasurement {
  enum Side { case worker, server }

  /// Seconds of a step.
  private(set) var computing = 0.0
  /// Of a step of all servers together.
  private(set) var serving = 0.0
  /// Of the messages of the first worker, in a step: to encode and decode them, and to keep their
  /// record until they are answered.
  private(set) var workerCoding = 0.0
  private(set) var serverCoding = 0.0
  /// Bytes of messages of the first worker in a step, both ways.
  private(set) var bytes = 0.0
  private(set) var messageCount = 0.0
  /// Rows that got a gradient in a step, on all servers.
  private(set) var rowsUpdated = 0.0
  /// Bytes by which the first worker's computations have increased the resident memory.
  private(set) var workerMemory = 0

  var keepsMessages = false
  private(set) var messages: [ProbeRequest] = []
  private var isMeasuring = false
  private var updatedBefore = 0

  mutating func begin(_ servers: [ServerSession<Int>]) {
    isMeasuring = true
    updatedBefore = servers.reduce(0) { $0 + $1.statistics.rowsUpdated }
  }

  /// Turns sums into means of a step.
  mutating func end(steps: Int, servers: [ServerSession<Int>]) {
    isMeasuring = false
    let count = Double(max(1, steps))
    computing /= count
    serving /= count
    workerCoding /= count
    serverCoding /= count
    bytes /= count
    messageCount /= count
    rowsUpdated =
      Double(servers.reduce(0) { $0 + $1.statistics.rowsUpdated } - updatedBefore) / count
  }

  mutating func computing<Result>(_ isOwn: Bool, _ body: () throws -> Result) rethrows -> Result {
    guard isOwn else { return try body() }
    let before = ProcessMemory.residentBytes
    let time = ProcessorTime()
    defer {
      if isMeasuring { computing += time.elapsed }
      workerMemory += max(0, ProcessMemory.residentBytes - before)
    }
    return try body()
  }

  mutating func serving<Result>(_ body: () -> Result) -> Result {
    let time = ProcessorTime()
    defer { if isMeasuring { serving += time.elapsed } }
    return body()
  }

  mutating func coding<Result>(
    _ isOwn: Bool, _ side: Side, _ body: () throws -> Result
  ) rethrows -> Result {
    let time = ProcessorTime()
    defer {
      if isMeasuring, isOwn {
        switch side {
        case .worker: workerCoding += time.elapsed
        case .server: serverCoding += time.elapsed
        }
      }
    }
    return try body()
  }

  mutating func note(_ message: WireMessage, _ body: DataRequestBody) {
    if keepsMessages { messages.append(ProbeRequest(body: body, byteCount: message.byteCount)) }
    noteReply(message)
  }

  mutating func noteReply(_ message: WireMessage) {
    guard isMeasuring else { return }
    bytes += Double(message.byteCount)
    messageCount += 1
  }
}

/// A request of the first worker.
struct ProbeRequest {
  let body: DataRequestBody
  let byteCount: Int
}
