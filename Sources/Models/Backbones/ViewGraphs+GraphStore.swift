internal import Graphs

extension MGCN {
  /// A model over a data set's graphs, which are built when it first computes.
  public init(_ input: ModelInput, options: ModelOptions) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      options: options
    ) {
      ViewGraphs(from: input) { store in
        ViewGraphs(
          adjacency: store.adjacency(.exact), userItem: store.userItem(.exact),
          itemItem: try input.features.indices.map {
            try store.itemNeighbours(
              modality: $0, count: options.itemNeighbours, weighting: .weighted)
          })
      }
    }
  }
}

extension SOIL {
  /// A model over a data set's graphs, which are built when it first computes.
  public init(_ input: ModelInput, options: ModelOptions) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      options: options
    ) {
      ViewGraphs(from: input) { store in
        let secondOrder = try store.secondOrder(extra: options.secondOrderCount)
        return ViewGraphs(
          adjacency: secondOrder.adjacency,
          userItem: options.secondOrderDegrees == .fixed
            ? secondOrder.fixedUserItem : secondOrder.userItem,
          itemItem: try input.features.indices.map {
            try store.interestGraph(
              modality: $0, count: options.interestCount, neighbours: options.itemNeighbours)
          })
      }
    }
  }
}

extension ViewGraphs {
  /// - Precondition: the input has graphs of the data set that its features are from. Only a
  ///   process that computes gets here, and those are what its graphs are built from.
  fileprivate init(from input: ModelInput, _ make: (GraphStore) throws -> ViewGraphs) {
    guard let store = input.graphs else {
      preconditionFailure("a model computes without the graphs of its data set")
    }
    do {
      self = try make(store)
    } catch {
      preconditionFailure("graphs of another data set: \(error)")
    }
  }
}
