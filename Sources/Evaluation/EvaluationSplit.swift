public import Tensors

/// The interactions that a ranking is measured against.
public struct EvaluationSplit: Sendable {
  /// The splits that models are measured on.
  public static let names = (valid: "valid", test: "test")

  /// `valid` or `test`; the prefix of the metrics' names.
  public let name: String
  /// For each user, the items to be found. Users without any are not part of the split.
  public let truth: AdjacencyList

  public init(name: String, truth: AdjacencyList) {
    self.name = name
    self.truth = truth
  }
}
