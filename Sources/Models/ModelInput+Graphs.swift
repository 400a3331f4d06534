internal import Graphs
internal import Tensors

/// The graphs of a model that propagates. Processes that only need the list of tables have none and
/// never ask for them, so a missing graph is a programming error.
extension ModelInput {
  /// - Precondition: ``graphs`` is given.
  var requiredGraphs: GraphStore {
    guard let graphs else { preconditionFailure("a model without graphs propagates") }
    return graphs
  }

  /// The graph of each item's nearest items; see `GraphStore.itemNeighbours`.
  ///
  /// - Precondition: ``graphs`` is given, and its data set has the modality.
  func requiredItemNeighbours(
    modality: Int, count: Int, weighting: NeighbourWeighting
  ) -> SparseMatrix {
    do {
      return try requiredGraphs.itemNeighbours(
        modality: modality, count: count, weighting: weighting)
    } catch {
      preconditionFailure("the model has a modality that its graphs have not: \(error)")
    }
  }
}
