import Coordinator

/// Maps connections to nodes and nodes to connections.
///
/// Members of the run are always kept. Any number of other peers can connect, so only the latest of
/// them are kept; one that was forgotten is asked for its hello when it sends something.
package struct NodeConnections<Peer: Hashable> {
  /// How many nodes are kept that are not members.
  package static var othersLimit: Int { 4096 }

  private struct Entry {
    var node: NodeID
    /// The count of all messages when the last one arrived on this connection.
    var receivedAt: UInt64
  }

  private var entries: [Peer: Entry] = [:]
  private var peers: [NodeID: Peer] = [:]
  private var messageCount: UInt64 = 0

  package init() {}

  package var count: Int { entries.count }

  /// The connection of a node.
  package func peer(of node: NodeID) -> Peer? { peers[node] }

  /// The connections of all nodes.
  package var allPeers: some Collection<Peer> { peers.values }

  /// The node at the other end of a connection that a message arrived on; nil before its hello, or
  /// if it was forgotten.
  package mutating func node(on peer: Peer) -> NodeID? {
    guard let index = entries.index(forKey: peer) else { return nil }
    messageCount += 1
    entries.values[index].receivedAt = messageCount
    return entries.values[index].node
  }

  /// A hello of a node has arrived.
  ///
  /// - Parameters:
  ///   - memberCount: of the run.
  ///   - isMember: whether a node takes part in the run.
  package mutating func add(
    _ node: NodeID, on peer: Peer, memberCount: Int, isMember: (NodeID) -> Bool
  ) {
    if let earlier = entries[peer]?.node, earlier != node { peers[earlier] = nil }
    if let former = peers[node], former != peer { entries[former] = nil }
    messageCount += 1
    entries[peer] = Entry(node: node, receivedAt: messageCount)
    peers[node] = peer
    guard entries.count > memberCount + Self.othersLimit else { return }
    let oldest = entries.filter { $0.key != peer && !isMember($0.value.node) }
      .min { $0.value.receivedAt < $1.value.receivedAt }
    guard let oldest else { return }
    entries[oldest.key] = nil
    peers[oldest.value.node] = nil
  }
}
