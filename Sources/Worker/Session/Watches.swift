/// Detects servers that owe a reply and cannot be reached.
///
/// A missing reply alone is no evidence: a pull may wait at its server for other workers, and rows
/// may take long to transfer. So a silent server is sent a probe, a hello on a separate connection
/// without large messages. Servers answer a hello at once, whatever else waits. A server that does
/// not answer the probes either cannot be reached.
struct ServerWatch: Sendable {
  private struct Probe: Sendable {
    let id: UInt64
    let sentAt: Double
  }

  /// How long a server may be silent, seconds.
  var timeout = Double.infinity
  private var receivedAt: [Int: Double] = [:]
  private var probes: [Int: Probe] = [:]
  private var tickedAt: Double?
  /// Silence before this time is not evidence: this process was paused and could not receive.
  private var listeningSince = -Double.infinity

  /// The time between two probes. Several fit into the timeout, because one can be lost.
  private var probeInterval: Double { timeout / 6 }

  /// Forgets all messages and probes, before servers are greeted.
  mutating func reset() {
    receivedAt = [:]
    probes = [:]
  }

  /// Records a message of a server.
  mutating func note(_ server: Int, at now: Double) { receivedAt[server] = now }

  /// Handles the reply to a probe.
  ///
  /// - Returns: whether `id` is the id of a probe.
  mutating func takeAnswer(_ id: UInt64, of server: Int) -> Bool {
    guard probes[server]?.id == id else { return false }
    probes[server] = nil
    return true
  }

  /// Checks the servers that owe a reply.
  ///
  /// - Parameter owedSince: the time since when each of these servers owes a reply.
  /// - Returns: the servers to probe, or the one that cannot be reached.
  mutating func tick(
    _ owedSince: [Int: Double], at now: Double
  ) -> (due: [Int], lost: Int?) {
    // This process or its machine was paused and could not receive.
    if let tickedAt, now - tickedAt > timeout / 4 { listeningSince = now }
    tickedAt = now
    var due: [Int] = []
    for (server, since) in owedSince.sorted(by: { $0.key < $1.key }) {
      let silence = now - max(since, receivedAt[server] ?? since, listeningSince)
      if silence > timeout { return ([], server) }
      let probedAt = probes[server]?.sentAt ?? -.infinity
      if silence >= probeInterval, now - probedAt >= probeInterval { due.append(server) }
    }
    return (due, nil)
  }

  /// Records that a probe was sent.
  mutating func probe(_ server: Int, as id: UInt64, at now: Double) {
    probes[server] = Probe(id: id, sentAt: now)
  }
}

/// Measures how long a computation takes. Only time in which the worker's network thread ran
/// counts: if the process was stopped, so was the computation.
struct ComputationWatch: Sendable {
  /// The most that counts between two ticks, seconds.
  private static let longestTick = 2.0

  private var seconds: Double?
  private var tickedAt: Double?

  /// A computation begins.
  mutating func begin() { seconds = 0 }

  /// The computation has ended, or its result is not needed any more.
  mutating func end() { seconds = nil }

  /// - Returns: how long the computation has run so far, seconds; 0 if none runs.
  mutating func tick(at now: Double) -> Double {
    let passed = tickedAt.map { min(now - $0, Self.longestTick) } ?? 0
    tickedAt = now
    if let seconds { self.seconds = seconds + passed }
    return seconds ?? 0
  }
}

/// Timeouts of a worker in seconds; infinite: none.
package struct WorkerTimeouts: Sendable, Equatable {
  /// The silence after which the coordinator counts a process as lost.
  package var node: Double
  /// The longest computation: one step of a worker's shards, or one block.
  package var computation: Double

  package init(node: Double = .infinity, computation: Double = .infinity) {
    self.node = node
    self.computation = computation
  }
}
