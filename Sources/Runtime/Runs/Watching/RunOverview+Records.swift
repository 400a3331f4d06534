import Coordinator
import Foundation

extension RunOverview.Epoch {
  /// - Parameter at: seconds since the run began.
  init(_ summary: EpochSummary, _ evaluation: EvaluationSummary?, at: Double) {
    epoch = summary.epoch
    self.at = at
    trainSeconds = summary.seconds
    evaluateSeconds = evaluation?.seconds
    loss = Self.group("loss", of: summary.values)
    stat = Self.group("stat", of: summary.values)
    valid = Self.group("valid", of: evaluation?.metrics ?? [:])
    test = Self.group("test", of: evaluation?.metrics ?? [:])
  }

  /// Adds an evaluation, or replaces the one before.
  mutating func set(_ evaluation: EvaluationSummary) {
    evaluateSeconds = evaluation.seconds
    valid = Self.group("valid", of: evaluation.metrics)
    test = Self.group("test", of: evaluation.metrics)
  }

  /// The values of `GROUP.NAME` by name.
  private static func group(_ group: String, of values: [String: Double]) -> [String: Double?] {
    var result: [String: Double?] = [:]
    for (name, value) in values where name.hasPrefix("\(group).") {
      result[String(name.dropFirst(group.count + 1))] = .some(value.isFinite ? value : nil)
    }
    return result
  }
}

extension RunOverview {
  /// The most epochs that an overview has; of longer runs it has every second, third … one.
  package static let epochLimit = 4_000

  /// The last epochs of a run, thinned to ``epochLimit`` from its beginning on, so that a later
  /// overview keeps what an earlier one had where it can. The best and the last epoch are kept.
  static func thinned(_ epochs: [Epoch], best: UInt32?) -> [Epoch] {
    guard epochs.count > epochLimit else { return epochs }
    var step = 2
    while epochs.count / step > epochLimit { step *= 2 }
    return epochs.filter {
      Int($0.epoch) % step == 0 || $0.epoch == best || $0.epoch == epochs.last?.epoch
    }
  }

  /// MRdIB's gauges, from the parts of the loss and the statistics of the last finished epoch.
  mutating func setGauges(from last: Epoch?) {
    guard let last else { return }
    var names: Set<String> = []
    for prefix in ["kl_per_dimension.", "sigma.", "rms."] {
      names.formUnion(last.stat.keys.filter { $0.hasPrefix(prefix) }.map { $0.after(prefix) })
    }
    names.formUnion(
      last.loss.keys.filter { $0.hasPrefix("unique.") }.map { $0.after("unique.") })
    modalities = names.sorted().map { name in
      Modality(
        name: name, divergencePerDimension: last.stat["kl_per_dimension.\(name)"] ?? nil,
        sigma: last.stat["sigma.\(name)"] ?? nil, size: last.stat["rms.\(name)"] ?? nil,
        unimodalLoss: last.loss["unique.\(name)"] ?? nil)
    }
    let pairNames = last.loss.keys.filter { $0.hasPrefix("redundancy.") }
      .map { $0.after("redundancy.") }
    pairs = pairNames.sorted().map { name in
      Pair(
        name: name, mutualInformation: last.loss["redundancy.\(name)"] ?? nil,
        runningMutualInformation: last.stat["redundancy_running.\(name)"] ?? nil)
    }
    let conflict = last.stat["gate.conflict"] ?? nil
    let scale = last.stat["gate.scale"] ?? nil
    gate = conflict == nil && scale == nil ? nil : Gate(conflict: conflict, scale: scale)
  }
}

extension RunOverview.Selection {
  init(_ selection: ModelSelection) {
    self.init(
      metric: selection.rule.metric, patience: selection.rule.patience,
      bestEpoch: selection.best?.epoch,
      bestValue: selection.best.flatMap { $0.value.isFinite ? $0.value : nil },
      notImproved: selection.nonImprovingCount)
  }
}

extension StringProtocol {
  fileprivate func after(_ prefix: String) -> String { String(dropFirst(prefix.count)) }
}
