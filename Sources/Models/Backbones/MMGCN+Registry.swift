internal import Graphs

extension MMGCN {
  /// The model for a data set; its graph is built when vectors are first propagated.
  public init(_ input: ModelInput, options: ModelOptions) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: options.embeddingSize, regularization: options.regularization,
      trainableIds: options.trainsIDs, staleRanking: options.staleRanking ?? true,
      seed: options.seed
    ) { input.requiredGraphs.meanAdjacency() }
  }
}
