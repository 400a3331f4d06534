import Foundation
import TestSupport
import Testing

/// Models that propagate over graphs, in real processes.
@Suite(.serialized) struct GraphClusterTests {
  /// One model for each way in which models differ in a cluster.
  static let cases = [
    // No features, no content.
    ["--model", "lightgcn"],
    // A sample of the graph per epoch that must be the same on all workers; a joint likelihood.
    ["--model", "freedom", "--objective", "mrdib"],
    // Initial values pushed by a worker, terms that are estimated per shard, and encoders that are
    // initialized from a forward pass over the graphs.
    ["--model", "mgcn", "--objective", "mrdib", "--set", "sigma_init=relative"],
    // Ranks with the vectors of the last forward pass in training.
    ["--model", "dualgnn", "--objective", "plain"],
    // Elements that a step drops, the same on all workers; a norm that every shard knows.
    ["--model", "bm3", "--objective", "mrdib"],
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
