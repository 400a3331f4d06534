import Files
import Foundation

extension RunOverview {
  /// What `mrdib status` prints.
  ///
  /// - Parameters:
  ///   - width: the most characters of a line.
  ///   - eventCount: how many of the newest events, checkpoints left out.
  package func lines(atMost width: Int = .max, eventCount: Int = 8) -> [String] {
    let lines =
      [headline] + [positionLine].compactMap { $0 } + results + gauges + nodeTable
      + newest(eventCount)
    return lines.map { String($0.withoutControlCharacters().prefix(max(1, width))) }
  }

  private var headline: String {
    "run \(run.name): \(run.model) on \(run.dataset), objective \(run.objective), "
      + "seed \(run.seed); \(state.words)"
      + (message.isEmpty ? "" : ": \(message)")
  }

  private var positionLine: String? {
    guard let position else { return nil }
    var parts: [String] = []
    if let activity = position.activity, !state.isOver {
      let name = ["train": "step", "materialize": "final vectors", "rank": "ranking"][activity]
      parts.append("epoch \(position.epoch)")
      parts.append("\(name ?? activity) \(position.done)/\(position.total)")
    }
    parts.append("\(position.epochsFinished) of at most \(run.epochs) epochs done")
    if let rate = position.examplesPerSecond, !state.isOver {
      parts.append("\(ProgressFormat.short(rate))/s")
    }
    if let elapsedSeconds { parts.append("elapsed \(ProgressFormat.duration(elapsedSeconds))") }
    if let timeLeft { parts.append("left \(ProgressFormat.roughly(timeLeft.range))") }
    if let what = position.waitingFor {
      parts.append(
        "waiting for \(what), \(ProgressFormat.countdown(position.waitSecondsLeft ?? 0)) left")
    }
    return parts.joined(separator: "  ")
  }

  private var results: [String] {
    guard let last = epochs.last else { return [] }
    let metric = selection.metric.split(separator: ".").joined(separator: " ")
    var parts: [String] = []
    if let loss = last.loss["total"] ?? nil {
      parts.append("loss \(ProgressFormat.compact(loss)) in epoch \(last.epoch)")
    }
    if let best = selection.bestValue, let epoch = selection.bestEpoch {
      parts.append("best \(metric) \(ProgressFormat.compact(best)) in epoch \(epoch)")
      let name = String(selection.metric.drop { $0 != "." }.dropFirst())
      let test = epochs.first { $0.epoch == epoch }?.test[name] ?? nil
      if let test { parts.append("test \(ProgressFormat.compact(test))") }
      parts.append(
        "not better since: \(selection.notImproved) of \(selection.patience + 1) evaluations")
    }
    return [parts.joined(separator: "  ")]
  }

  private var gauges: [String] {
    guard !modalities.isEmpty else { return [] }
    let cell = { (value: Double?) in value.map { ProgressFormat.compact($0) } ?? "-" }
    let table = TextTable(
      header: ["modality", "divergence/dim", "sigma", "rms", "loss alone"],
      rows: modalities.map {
        [
          $0.name, cell($0.divergencePerDimension), cell($0.sigma), cell($0.size),
          cell($0.unimodalLoss),
        ]
      }, leftColumns: 1)
    var lines = [""] + table.lines
    lines += pairs.map {
      "\($0.name): estimated mutual information \(cell($0.mutualInformation)) nats, running mean "
        + cell($0.runningMutualInformation)
    }
    if let gate { lines.append("gate: conflict \(cell(gate.conflict)), scale \(cell(gate.scale))") }
    return lines
  }

  private var nodeTable: [String] {
    guard !nodes.isEmpty else { return [] }
    let table = TextTable(
      header: ["node", "state", "where", "per second", "behind", "cpus", "memory", "last sign"],
      rows: nodes.map { node in
        [
          "\(node.role) \(node.rank)", node.state, "\(node.host):\(node.process)",
          node.perSecond.map { "\(ProgressFormat.short($0)) \(node.perSecondUnit)" } ?? "-",
          "\(node.lag)", node.processors.map { String(format: "%.2f", $0) } ?? "-",
          node.residentBytes.map { "\($0 >> 20) MiB" } ?? "-",
          node.silentSeconds.map { "\(Int($0))s ago" } ?? "-",
        ]
      }, leftColumns: 3)
    return [""] + table.lines
  }

  private func newest(_ count: Int) -> [String] {
    let shown = events.filter { $0.kind != "checkpoint" }.suffix(count)
    guard !shown.isEmpty else { return [] }
    return [""]
      + shown.map { "\($0.time)  epoch \(Int(max(0, min(1e9, $0.position))))  \($0.text)" }
  }
}
