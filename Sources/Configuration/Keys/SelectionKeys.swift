import Recommenders
import Settings

/// How a model is measured and the best epoch found.
package struct SelectionKeys: SettingGroup {
  package let metric = Setting<SelectionMetric>(
    "selection_metric", default: SelectionMetric(.recall, at: 20), aliases: ["valid_metric"],
    help: "The validation metric that the best epoch maximises (MMRec; register A15 suggests"
      + " recall@5 for mrdib: every run reports both).")
  package let metrics = Setting<[MetricName]>(
    "metrics", default: MetricName.standard, .eachOnce, influencesResult: false,
    help: "What an evaluation computes at every cutoff (MMRec's are the default). "
      + Metric.all.map { "\($0.name): \($0.summary)" }.joined(separator: "; ") + ".")
  package let cutoffs = Setting<[Int]>(
    "topk", default: [5, 10, 20, 50], .someWithin(1...10_000), unit: "items",
    help: "The cutoffs K at which every metric is reported (MMRec).")
  package let stoppingStep = Setting<Int>(
    "stopping_step", default: 20, .within(0...1_000_000), unit: "evaluations",
    help: "Training stops at the first evaluation after this many in a row without improvement:"
      + " with 20, at the 21st (MMRec).")
  package let evaluationInterval = Setting<Int>(
    "eval_step", default: 1, .within(1...1_000_000), unit: "epochs",
    help: "Epochs from one evaluation to the next (MMRec).")
  package let compatibility = Setting<Compatibility>(
    "compat", default: .none,
    help: "Compare unrounded metrics (none), or MMRec's rule (mmrec): metrics are rounded to 4"
      + " decimals before they are compared, so that ties are no improvement.")

  package init() {}
}

/// Whose rule compares metrics.
package enum Compatibility: String, SettingChoice { case none, mmrec }
