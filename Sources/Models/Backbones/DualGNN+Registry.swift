internal import Graphs

extension DualGNN {
  /// The model for a data set; its graphs are built when vectors are first propagated.
  public init(_ input: ModelInput, options: ModelOptions) {
    let (count, seed) = (options.userNeighbours, options.seed)
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: options.embeddingSize, regularization: options.regularization,
      aliasBug: options.hasAliasBug, staleRanking: options.staleRanking ?? true, seed: seed,
      adjacency: { input.requiredGraphs.adjacency(.exact) },
      neighbours: { epoch in
        // Evaluations outside of an epoch need no random repeats: softmax over what is there.
        guard options.padsNeighbours, let epoch else {
          return input.requiredGraphs.userNeighbours(count: count, padding: .none)
        }
        return input.requiredGraphs.userNeighbours(
          count: count, padding: .urn(seed: seed, epoch: epoch))
      })
  }
}
