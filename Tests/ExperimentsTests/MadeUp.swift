import Experiments

/// Made-up results.
enum MadeUp {
  static func run(
    alpha: String, seed: Int, valid: Double, test: Double, ndcg: Double = 0.25,
    state: SweepRun.State = .finished
  ) -> SweepRun {
    SweepRun(
      identity: .init(configurationDigest: "\(alpha)-\(seed)", dataDigest: "data"),
      repetitionDigest: alpha,
      coordinates: [
        Coordinate(name: "alpha1", value: alpha), Coordinate(name: "seed", value: "\(seed)"),
      ],
      seed: seed, selectionMetric: "recall@20", folder: "runs/\(alpha)-\(seed)", state: state,
      message: state == .finished ? "done" : "loss is \"nan\", stopped",
      result: state == .finished
        ? RunResult(
          model: "vbpr", dataset: "made-up", bestEpoch: 3, epochsRun: 7, parameterCount: 11,
          valid: ["recall@20": valid, "ndcg@20": ndcg],
          test: ["recall@20": test, "ndcg@20": ndcg], seconds: ["total": 1.5]) : nil)
  }

  /// On validation 0.05 is better on average; the best single run on test is one of 0.1.
  static let sweep = [
    run(alpha: "0.1", seed: 1, valid: 0.30, test: 0.5, ndcg: 0.3),
    run(alpha: "0.1", seed: 2, valid: 0.32, test: 0.2, ndcg: 0.2),
    run(alpha: "0.05", seed: 1, valid: 0.31, test: 0.40),
    run(alpha: "0.05", seed: 2, valid: 0.33, test: 0.42),
    run(alpha: "0.01", seed: 1, valid: 0.99, test: 0.99, state: .failed),
    run(alpha: "0.01", seed: 2, valid: 0.40, test: 0.1),
  ]
}
