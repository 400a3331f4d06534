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
