/// The graphs that models propagate over, built from a data set on first use.
///
/// All of them are functions of the data set (and of a seed and an epoch, where something is
/// drawn), so every worker of a run has the same ones. Graphs are kept in memory. Those that take
/// long to build are also kept in a folder, in their form before normalisation.
///
/// Notation: U users, I items, N = U + I nodes (users first), R the training interactions `[U, I]`
/// as 0 and 1, `d` a node's number of interactions.
public final class GraphStore: Sendable {
  public let dataset: Dataset
  let cache: GraphCache

  /// - Parameters:
  ///   - cacheFolder: where graphs are kept on disk, created if needed; nil keeps none. Processes
  ///     and data sets may share one.
  ///   - report: called for every graph that is built, loaded or rejected, and while one is built,
  ///     on the thread that asked for the graph.
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

/// What happened to a graph that is kept on disk, for the log.
public enum GraphEvent: Sendable, Equatable, CustomStringConvertible {
  /// A part of it is built, from 0 to 1.
  case building(graph: String, share: Double)
  case built(graph: String, entryCount: Int, duration: Duration)
  case loaded(path: String)
  /// The file stays until the rebuilt graph replaces it.
  case refused(path: String, reason: String)
  /// The run continues without the file.
  case notWritten(path: String, reason: String)

  public var description: String {
    switch self {
    case .building(let graph, let share):
      return "Building graph \(graph): \(Int(share * 100)) %."
    case .built(let graph, let entryCount, let duration):
      let seconds = (duration / .milliseconds(10)).rounded() / 100
      return "Built graph \(graph) with \(entryCount) entries in \(seconds) s."
    case .loaded(let path):
      return "Read graph from '\(path)'."
    case .refused(let path, let reason):
      return "Cannot use the stored graph '\(path)': it \(reason). It is rebuilt and replaced."
    case .notWritten(let path, let reason):
      return "Cannot store the graph in '\(path)': \(reason). The next start rebuilds it."
    }
  }
}

/// A graph cannot be built from the data set.
public struct GraphError: Error, CustomStringConvertible, Sendable, Equatable {
  public let description: String

  static func missingModality(_ modality: Int, in names: [String], dataset: String) -> GraphError {
    let found = names.isEmpty ? "none" : "\(names.count) (\(names.joined(separator: ", ")))"
    return GraphError(
      description: "Cannot build a graph of the items' similarities in modality \(modality) of "
        + "data set '\(dataset)': it needs item features of that modality, and the data set was "
        + "loaded with \(found). Add feature files (*_feat.npy), or choose a model without "
        + "features.")
  }
}
