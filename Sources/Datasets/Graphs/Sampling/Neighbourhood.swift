import Tensors

/// The part of the graphs that a batch depends on, where neighbours are sampled: which users and
/// items, and how the vectors of the batch's nodes follow from theirs.
///
/// Layers lead from the batch outwards. The targets of the first are the batch's users, then its
/// items; the targets of each other layer are the sources of the one before.
public struct Neighbourhood: Sendable {
  /// One step of propagation.
  public struct Layer: Sendable {
    /// `[targets, sources]`.
    public let matrix: SparseMatrix
    /// The places of the targets among the neighbourhood's nodes.
    public let targets: [Int32]
    /// The places of the sources among the neighbourhood's nodes.
    public let sources: [Int32]
  }

  /// The users, ascending. With the items after them they are the neighbourhood's nodes.
  public let users: [Int32]
  /// The items, ascending.
  public let items: [Int32]
  /// The places of the batch's distinct users among ``users``.
  public let batchUsers: [Int32]
  /// The places of the batch's distinct items among ``items``.
  public let batchItems: [Int32]
  /// Over the graph of interactions.
  public let layers: [Layer]
  /// Over the graph of similar items, from the batch's items; nil without one.
  public let similarItems: Layer?
  /// What views by modality are computed from; nil for models without them.
  public let views: SampledViews?
  /// Of each modality of ``views``, the places of the similar items among ``items``.
  public let viewSources: [[Int32]]

  /// - Parameters:
  ///   - layers: of the graph of users and items; their targets are as described above.
  ///   - similarItems: of the graph of items, with the batch's items as targets.
  ///   - userCount: U: nodes from there on are items.
  /// - Precondition: there is a layer.
  public init(
    of batch: TripletBatch, layers: [SampledRows], similarItems: SampledRows? = nil,
    views: SampledViews? = nil, userCount: Int
  ) {
    precondition(!layers.isEmpty, "a neighbourhood without layers")
    let firstItem = Int32(truncatingIfNeeded: userCount)
    var lists = [layers[0].targets] + layers.map(\.sources)
    if let similarItems { lists.append(similarItems.sources.map { firstItem + $0 }) }
    let viewed = views?.similar.map { $0.sources.map { firstItem + $0 } } ?? []
    lists += viewed
    let nodes = DistinctIDs(lists.flatMap { $0 })
    let users = nodes.values.prefix { $0 < firstItem }
    self.users = Array(users)
    items = nodes.values.dropFirst(users.count).map { $0 - firstItem }

    var start = 0
    let places = lists.map { list in
      defer { start += list.count }
      return Array(nodes.index[start..<start + list.count])
    }
    self.layers = layers.enumerated().map { index, layer in
      Layer(matrix: layer.matrix, targets: places[index], sources: places[index + 1])
    }
    let count = Int32(truncatingIfNeeded: users.count)
    batchUsers = Array(places[0].prefix(batch.distinctUsers.count))
    let itemPlaces = Array(places[0].dropFirst(batch.distinctUsers.count))
    batchItems = itemPlaces.map { $0 - count }
    self.views = views
    viewSources = places.suffix(viewed.count).map { list in list.map { $0 - count } }
    self.similarItems = similarItems.map {
      Layer(matrix: $0.matrix, targets: itemPlaces, sources: places[layers.count + 1])
    }
  }

  /// Users and items together.
  public var nodeCount: Int { users.count + items.count }
}
