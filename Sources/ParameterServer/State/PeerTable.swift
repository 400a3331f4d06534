import Messages

/// The peers that said hello, and who of them was heard of when.
///
/// Most connections end without a word: a process that is killed says nothing, and whoever connects
/// once (to read the best model) does not come back. So a table that is full gives the place of the
/// peer that was silent for longest to a new one; if that peer is there still, it says hello again.
struct PeerTable<Peer: Hashable & Sendable>: Sendable {
  private struct Entry: Sendable {
    var hello: DataHello
    /// When the peer was heard of last, in requests of all peers.
    var heardAt: UInt64
  }

  private var entries: [Peer: Entry] = [:]
  private var requestCount: UInt64 = 0

  var count: Int { entries.count }

  subscript(peer: Peer) -> DataHello? { entries[peer]?.hello }

  mutating func add(_ peer: Peer, _ hello: DataHello) {
    requestCount += 1
    entries[peer] = Entry(hello: hello, heardAt: requestCount)
  }

  mutating func remove(_ peer: Peer) { entries[peer] = nil }

  /// Takes note of a request; one of a stranger is ignored.
  mutating func noteRequest(of peer: Peer) {
    guard let index = entries.index(forKey: peer) else { return }
    requestCount += 1
    entries.values[index].heardAt = requestCount
  }

  /// The peer that was silent for longest, of those that wait for nothing; nil if all wait.
  func longestSilent(except waiting: Set<Peer>) -> Peer? {
    entries.filter { !waiting.contains($0.key) }.min { $0.value.heardAt < $1.value.heardAt }?.key
  }
}
