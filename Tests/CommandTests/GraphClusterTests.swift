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
    ["--model", "freedom", "--objective", "mrdib", "--set", "mrdib_form=published"],
    // Initial values pushed by a worker, terms that are estimated per shard, and encoders that are
    // initialized from a forward pass over the graphs.
    ["--model", "mgcn", "--objective", "mrdib", "--set", "mrdib_form=published"],
    ["--model", "mgcn", "--objective", "mrdib"],
    // Ranks with the vectors of the last forward pass in training.
    ["--model", "dualgnn", "--objective", "plain"],
    // Elements that a step drops, the same on all workers; a norm that every shard knows.
    ["--model", "bm3", "--objective", "mrdib"],
    // Graphs of each epoch, and blocks without gradients among what is propagated.
    ["--model", "cohesion", "--objective", "mrdib", "--set", "dropout=0.2"],
    // Noise that all workers must draw alike, and terms of the loss over all users and items.
    ["--model", "mentor", "--objective", "plain"],
    // Terms of all items that are propagated once, and MRdIB on two of three parts of an item.
    ["--model", "viral", "--objective", "mrdib", "--set", "input_width=pad"],
    // A subgraph of each epoch, or of singular values that every worker computes, and what a step
    // drops.
    ["--model", "pgl", "--objective", "mrdib"],
    ["--model", "pgl", "--objective", "plain", "--set", "subgraph=global"],
    // Dropped elements of what is computed for a batch's rows alone.
    ["--model", "smore", "--objective", "mrdib"],
    // A graph of trained features that an epoch's first step builds and its others keep.
    ["--model", "lattice", "--objective", "mrdib"],
    // A neighbourhood of each shard's batch, pulled and pushed row by row, and final vectors that
    // are computed layer by layer in blocks.
    [
      "--model", "lightgcn", "--set", "graph_mode=sampled", "--set", "fanouts=[3,2]", "--set",
      "materialize_block_items=40",
    ],
    [
      "--model", "freedom", "--objective", "mrdib", "--set", "graph_mode=sampled", "--set",
      "fanouts=[3,2]",
    ],
    // Features of sampled similar items alone.
    ["--model", "mgcn", "--objective", "mrdib", "--set", "graph_mode=sampled"],
    // Nothing is trained; user vectors are computed in blocks.
    ["--model", "pop"], ["--model", "itemknn_content"],
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

  @Test("every epoch records VIRAL's shares of the score, which add up to 1 over workers")
  func shares() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    _ = try folder.train(
      "run", data: data,
      [
        "--model", "viral", "--objective", "plain", "--set", "input_width=pad", "--workers", "2",
        "--servers", "1", "--shards", "2",
      ])
    let lines = try String(decoding: folder.bytes("run/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n")
    #expect(!lines.isEmpty)
    for line in lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let statistics = try #require(object?["stat"] as? [String: Double])
      let shares = statistics.filter { $0.key.hasPrefix("share.") }
      #expect(
        Set(shares.keys) == [
          "share.redundant", "share.synergy", "share.unique.text", "share.unique.visual",
        ])
      #expect(abs(shares.values.reduce(0, +) - 1) < 1e-5, "\(shares)")
      #expect(statistics.keys.filter { $0.hasPrefix("redundant.") }.count == 2)
    }
  }
}
