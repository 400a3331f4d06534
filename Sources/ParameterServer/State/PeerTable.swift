import Protocol

/// The peers that have sent a hello, with the time of their last request.
///
/// Most connections end without a message: a killed process sends none, and the coordinator
/// connects once to read the best model. So when the table is full, a new peer takes the place of
/// the one with the oldest last request. If that peer is still there, it sends a hello again.
struct PeerTable<Peer: Hashable & Sendable>: Sendable {
  private struct Entry: Sendable {
    var hello: DataHello
    /// The time of the peer's last request, counted in requests of all peers.
    var lastRequest: UInt64
  }

  private var entries: [Peer: Entry] = [:]
  private var requestCount: UInt64 = 0

  var count: Int { entries.count }

  subscript(peer: Peer) -> DataHello? { entries[peer]?.hello }

  mutating func add(_ peer: Peer, _ hello: DataHello) {
    requestCount += 1
    entries[peer] = Entry(hello: hello, lastRequest: requestCount)
  }

  mutating func remove(_ peer: Peer) { entries[peer] = nil }

  /// Records the time of a request; an unknown peer is ignored.
  mutating func noteRequest(of peer: Peer) {
    guard let index = entries.index(forKey: peer) else { return }
    requestCount += 1
    entries.values[index].lastRequest = requestCount
  }

  /// The peer with the oldest last request among those not in `waiting`; nil if there is none.
  func longestSilent(except waiting: Set<Peer>) -> Peer? {
    entries.filter { !waiting.contains($0.key) }
      .min { $0.value.lastRequest < $1.value.lastRequest }?.key
  }
}
