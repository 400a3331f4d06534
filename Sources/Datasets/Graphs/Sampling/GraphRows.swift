import Tensors

/// A weighted graph whose rows are read one at a time, as sampling does: neither its transpose nor
/// a product with it is needed.
public protocol GraphRows: Sendable {
  /// How many neighbours a node has.
  func degree(_ node: Int) -> Int

  /// One of a node's neighbours, and the weight of the edge.
  ///
  /// - Parameter position: among the neighbours, which ascend; below ``degree(_:)``.
  func neighbour(of node: Int, at position: Int) -> (node: Int32, weight: Float)
}

extension SparseMatrix: GraphRows {
  public func degree(_ node: Int) -> Int { entries(ofRow: node).count }

  public func neighbour(of node: Int, at position: Int) -> (node: Int32, weight: Float) {
    let entry = Int(offsets[node]) + position
    return (indices[entry], values[entry])
  }
}

/// Interactions as a graph of users and items: the rows of Â `[N, N]`, whose values follow from the
/// degrees and are not stored.
///
/// Nodes are users, then items. The lists may be in files that are mapped into memory, so that a
/// graph that is larger than memory can be sampled.
public struct InteractionGraph: GraphRows {
  public let userCount: Int
  public let itemCount: Int
  /// The items of each user, `[U, I]`.
  private let items: AdjacencyList
  /// The users of each item, `[I, U]`.
  private let users: AdjacencyList
  /// What is added to each degree.
  private let addend: Double

  /// U + I.
  public var nodeCount: Int { userCount + itemCount }

  /// - Parameters:
  ///   - items: the items of each user, `[U, I]`.
  ///   - users: the same pairs as users of each item, `[I, U]`.
  /// - Precondition: the two have the same pairs; only their number is checked.
  public init(items: AdjacencyList, users: AdjacencyList, normalization: GraphNormalization) {
    precondition(
      items.rowCount == users.columnCount && items.columnCount == users.rowCount
        && items.columns.count == users.columns.count,
      "lists of other interactions")
    self.items = items
    self.users = users
    addend = normalization.addend
    userCount = items.rowCount
    itemCount = items.columnCount
  }

  public func degree(_ node: Int) -> Int {
    node < userCount ? items.degree(node) : users.degree(node - userCount)
  }

  /// A neighbour with `1 / √(d_u d_i)`, the bits of `GraphStore.adjacency`.
  public func neighbour(of node: Int, at position: Int) -> (node: Int32, weight: Float) {
    if node < userCount {
      let item = items.columns[items.offsets[node] + position]
      return (Int32(truncatingIfNeeded: userCount) + item, weight(user: node, item: Int(item)))
    }
    let item = node - userCount
    let user = users.columns[users.offsets[item] + position]
    return (user, weight(user: Int(user), item: item))
  }

  private func weight(user: Int, item: Int) -> Float {
    let degrees = (Double(items.degree(user)) + addend) * (Double(users.degree(item)) + addend)
    return Float(1 / degrees.squareRoot())
  }
}
