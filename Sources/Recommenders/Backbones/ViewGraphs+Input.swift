import Datasets

extension ViewGraphs {
  /// - Precondition: the input has graphs of the data set that its features are from. Only a
  ///   process that computes gets here, and those are what its graphs are built from.
  init(from input: ModelInput, _ make: (GraphStore) throws -> ViewGraphs) {
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
