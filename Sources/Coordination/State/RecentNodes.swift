/// The latest few of many nodes.
struct RecentNodes: Sendable, Equatable {
  static let limit = 1024

  private var nodes: Set<NodeID> = []
  /// The oldest first.
  private var order: [NodeID] = []

  func contains(_ node: NodeID) -> Bool { nodes.contains(node) }

  /// - Returns: whether the node was not among them.
  @discardableResult
  mutating func insert(_ node: NodeID) -> Bool {
    guard nodes.insert(node).inserted else { return false }
    order.append(node)
    if order.count > Self.limit { nodes.remove(order.removeFirst()) }
    return true
  }
}
