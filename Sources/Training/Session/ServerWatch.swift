/// Finds out which of the servers that owe an answer cannot be reached.
///
/// That an answer stays away says nothing: a pull may wait at its server for as long as other
/// workers take, and rows may be long on their way. So a server that says nothing is greeted once
/// more (a probe), on a connection beside, where nothing long is on its way. Servers answer a
/// greeting at once, whatever else they wait for. One that does not answer that either cannot be
/// reached.
struct ServerWatch: Sendable {
  private struct Probe: Sendable {
    let id: UInt64
    let sentAt: Double
  }

  /// For how long a server may be silent, seconds.
  var timeout = Double.infinity
  private var heardAt: [Int: Double] = [:]
  private var probes: [Int: Probe] = [:]
  private var tickedAt: Double?
  /// Before, nobody listened: what is silent since then may have spoken.
  private var listeningSince = -Double.infinity

  /// Between two probes. There are several before the time is up, since one can be lost.
  private var probeInterval: Double { timeout / 6 }

  /// Whoever is greeted now was not heard of before.
  mutating func reset() {
    heardAt = [:]
    probes = [:]
  }

  /// Takes note of anything that a server says.
  mutating func note(_ server: Int, at now: Double) { heardAt[server] = now }

  /// Takes in the answer to a probe.
  ///
  /// - Returns: whether it is one.
  mutating func takeAnswer(_ id: UInt64, of server: Int) -> Bool {
    guard probes[server]?.id == id else { return false }
    probes[server] = nil
    return true
  }

  /// What the passing of time shows.
  ///
  /// - Parameter owedSince: since when servers owe answers, of those that do.
  /// - Returns: the servers that are to be probed, or the one that cannot be reached.
  mutating func tick(
    _ owedSince: [Int: Double], at now: Double
  ) -> (due: [Int], lost: Int?) {
    // This process was stopped, or its machine: the silence was its own.
    if let tickedAt, now - tickedAt > timeout / 4 { listeningSince = now }
    tickedAt = now
    var due: [Int] = []
    for (server, since) in owedSince.sorted(by: { $0.key < $1.key }) {
      let silence = now - max(since, heardAt[server] ?? since, listeningSince)
      if silence > timeout { return ([], server) }
      let probedAt = probes[server]?.sentAt ?? -.infinity
      if silence >= probeInterval, now - probedAt >= probeInterval { due.append(server) }
    }
    return (due, nil)
  }

  /// Takes note of a probe.
  mutating func probe(_ server: Int, as id: UInt64, at now: Double) {
    probes[server] = Probe(id: id, sentAt: now)
  }
}
