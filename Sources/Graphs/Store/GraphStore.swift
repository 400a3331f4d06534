public import Datasets

/// The graphs that models propagate over, built from a data set when they are first asked for.
///
/// All of them are functions of the data set (and of a seed and an epoch, where something is
/// drawn), so every worker of a run has the same ones. Graphs are kept in memory; those that take
/// long to build are also kept in a folder, in the form they have before normalisation.
///
/// Notation: U users, I items, N = U + I nodes (users first), R the training interactions `[U, I]`
/// as 0 and 1, `d` a node's number of interactions.
public final class GraphStore: Sendable {
  public let dataset: Dataset
  let cache: GraphCache

  /// - Parameters:
  ///   - cacheFolder: where graphs are kept on disk, made if needed; nil keeps nothing. Processes
  ///     and data sets may share one.
  ///   - report: told about every graph that is built, read or refused; called on the thread that
  ///     asked for the graph.
  public init(
    dataset: Dataset, cacheFolder: String?,
    report: @escaping @Sendable (GraphEvent) -> Void = { _ in }
  ) {
    self.dataset = dataset
    cache = GraphCache(
      folder: cacheFolder, inputs: dataset.digest, isCurrent: { dataset.sources.isUnchanged },
      report: report)
  }

  /// The similarity of items in one modality.
  func similarity(modality: Int) throws(GraphError) -> ItemSimilarity {
    guard dataset.features.indices.contains(modality) else {
      throw .missingModality(
        modality, in: dataset.features.map(\.name), dataset: dataset.name)
    }
    return ItemSimilarity(dataset.features[modality])
  }

  /// The similarity of items in every modality.
  ///
  /// - Throws: ``GraphError`` if there is none.
  func similarities() throws(GraphError) -> [ItemSimilarity] {
    var similarities = [try similarity(modality: 0)]
    for modality in dataset.features.indices.dropFirst() {
      similarities.append(try similarity(modality: modality))
    }
    return similarities
  }
}
