import Coordinator

/// Which node speaks on which connection, and back.
///
/// Members of the run are kept. Of the others, whom nothing stops from coming again and again, the
/// latest are: one that is forgotten is asked for its hello when it speaks.
package struct NodeConnections<Peer: Hashable> {
  /// How many nodes are kept beside the members.
  package static var othersLimit: Int { 4096 }

  private struct Entry {
    var node: NodeID
    /// When the connection was heard of last, in messages of all.
    var heardAt: UInt64
  }

  private var entries: [Peer: Entry] = [:]
  private var peers: [NodeID: Peer] = [:]
  private var messageCount: UInt64 = 0

  package init() {}

  package var count: Int { entries.count }

  /// Where a node is reached.
  package func peer(of node: NodeID) -> Peer? { peers[node] }

  /// Where all nodes are reached.
  package var allPeers: some Collection<Peer> { peers.values }

  /// Who speaks; nil if it has not said hello, or is forgotten.
  package mutating func node(speakingOn peer: Peer) -> NodeID? {
    guard let index = entries.index(forKey: peer) else { return nil }
    messageCount += 1
    entries.values[index].heardAt = messageCount
    return entries.values[index].node
  }

  /// A node has said hello.
  ///
  /// - Parameters:
  ///   - memberCount: of the run.
  ///   - isMember: whether a node takes part in the run.
  package mutating func add(
    _ node: NodeID, speakingOn peer: Peer, memberCount: Int, isMember: (NodeID) -> Bool
  ) {
    if let earlier = entries[peer]?.node, earlier != node { peers[earlier] = nil }
    if let former = peers[node], former != peer { entries[former] = nil }
    messageCount += 1
    entries[peer] = Entry(node: node, heardAt: messageCount)
    peers[node] = peer
    guard entries.count > memberCount + Self.othersLimit else { return }
    let oldest = entries.filter { $0.key != peer && !isMember($0.value.node) }
      .min { $0.value.heardAt < $1.value.heardAt }
    guard let oldest else { return }
    entries[oldest.key] = nil
    peers[oldest.value.node] = nil
  }
}
