import Foundation
import TestSupport
import Testing

/// Models that propagate over graphs, in real processes.
@Suite(.serialized) struct GraphClusterTests {
  /// What differs between models on their way through a cluster.
  static let cases = [
    // No features, no content.
    ["--model", "lightgcn"],
    // A sample of the graph per epoch, on which workers must agree; a joint likelihood of its own.
    ["--model", "freedom", "--objective", "mrdib"],
    // Initial values that a worker pushes, terms that are estimated per shard, and encoders whose
    // beginning follows from a forward pass over the graphs.
    ["--model", "mgcn", "--objective", "mrdib", "--set", "sigma_init=relative"],
    // Ranking with the vectors of the last training forward.
    ["--model", "dualgnn", "--objective", "plain"],
  ]

  @Test("two workers and two servers end in the bits of the single process", arguments: cases)
  func sameBits(options: [String]) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let alone = try folder.train("alone", data: data, options + ["--single-process"])
    let cluster = try folder.train(
      "cluster", data: data, options + ["--workers", "2", "--servers", "2"])
    #expect(cluster == alone)
  }
}
