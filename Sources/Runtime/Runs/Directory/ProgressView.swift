import Coordinator
import Files
import Foundation
import Protocol
import Recommenders

/// Turns the events of a run into progress lines. A value: it has no terminal and no clock.
///
/// Epochs are counted from 0, as in all files.
package struct ProgressView: Sendable, Equatable {
  package enum Output: Sendable, Equatable {
    /// A line that stays.
    case line(String)
    /// The line that the next output replaces.
    case status(String)
  }

  private let style: ProgressStyle
  private let epochs: UInt32
  private let examplesPerEpoch: UInt64
  private var firstEpochAt: Double?
  /// Epochs that an earlier process trained, in a resumed run.
  private var epochsBefore: UInt32 = 0
  private var isFormed = false
  private var epochAt = 0.0
  private var epochsFinished: UInt32 = 0
  private var losses = ""
  private var lastShownAt: Double?

  /// - Parameters:
  ///   - epochs: the most that are trained.
  ///   - examplesPerEpoch: training interactions.
  package init(style: ProgressStyle, epochs: UInt32, examplesPerEpoch: UInt64) {
    self.style = style
    self.epochs = epochs
    self.examplesPerEpoch = examplesPerEpoch
  }

  /// - Parameter now: seconds on a monotonic clock.
  package mutating func handle(_ event: RunEvent, at now: Double) -> [Output] {
    if case .clusterFormed = event { isFormed = true }
    if case .epochStarted(let epoch, _) = event {
      if firstEpochAt == nil {
        firstEpochAt = now
        epochsBefore = epoch
        epochsFinished = max(epochsFinished, epoch)
      }
      lastShownAt = lastShownAt ?? now
      epochAt = now
    }
    if case .epochFinished(let summary) = event {
      epochsFinished = max(epochsFinished, summary.epoch + 1)
      losses = ProgressFormat.losses(summary.values)
    }
    if case .progress(let activity, let epoch, let done, let total) = event {
      return show(activity, epoch: epoch, done: done, total: total, at: now)
    }
    guard let line = lastingLine(for: event) else { return [] }
    lastShownAt = now
    return [.line(line.withoutControlCharacters())]
  }

  private mutating func show(
    _ activity: RunEvent.Activity, epoch: UInt32, done: UInt64, total: UInt64, at now: Double
  ) -> [Output] {
    let text = statusText(activity, epoch: epoch, done: done, total: total, at: now)
    switch style {
    case .rewriting(let width):
      return [.status(String(text.withoutControlCharacters().prefix(width - 1)))]
    case .plain(let interval):
      guard now - (lastShownAt ?? -.infinity) >= interval else { return [] }
      lastShownAt = now
      return [.line(text.withoutControlCharacters())]
    case .quiet: return []
    }
  }

  private func statusText(
    _ activity: RunEvent.Activity, epoch: UInt32, done: UInt64, total: UInt64, at now: Double
  ) -> String {
    let share = total > 0 ? Double(done) / Double(total) : 0
    let unit: String
    switch activity {
    case .train: unit = "step \(done)/\(total)"
    case .materialize: unit = "final matrices \(done)/\(total)"
    case .rank: unit = "ranking \(done)/\(total)"
    }
    var parts = ["epoch \(epoch)/\(epochs)", unit]
    if !losses.isEmpty { parts.append(losses) }
    if activity == .train, done > 0, now > epochAt {
      let rate = share * Double(examplesPerEpoch) / (now - epochAt)
      parts.append("\(ProgressFormat.rate(rate)) examples/s")
    }
    let reached = Double(epoch) + (activity == .train ? share : 1)
    let trained = reached - Double(epochsBefore)
    if let firstEpochAt, trained > 0 {
      let left = (now - firstEpochAt) / trained * max(0, Double(epochs) - reached)
      parts.append("at most \(ProgressFormat.duration(left)) left")
    }
    return parts.joined(separator: "  ")
  }

  /// The line that stays for an event, if this style has one.
  private func lastingLine(for event: RunEvent) -> String? {
    switch event {
    case .nodeRefused(_, let host, let reason): return "warning: refused \(host): \(reason)"
    case .nodeLost(let role, let rank, let host, let how):
      return "warning: \(role) \(rank) on \(host) is lost: \(how)"
    case .awaitingWorkers(let seconds):
      return "warning: no worker is left; the run ends unless one joins within "
        + ProgressFormat.duration(seconds)
    case .waiting(let what, let seconds, let limit):
      return waitingLine(what, seconds: seconds, limit: limit)
    case .checkpointFailed(let message):
      return "warning: a checkpoint failed, training continues without it: \(message)"
    case .checkpointOverdue(let newest, let dueCount, let slowest):
      return overdueLine(newest: newest, dueCount: dueCount, slowest: slowest)
    case .bestNotSaved(let epoch):
      return
        "warning: the best model (epoch \(epoch)) is not saved yet; it will be saved when the run "
        + "resumes"
    case .checkpointSearchFailed(let message):
      return "warning: cannot determine the newest checkpoint, retrying: \(message)"
    case .idleWorkers(let count, let shards):
      let workers = ProgressFormat.count(Int(count), "worker")
      return "warning: \(workers) without work: a batch has only "
        + "\(ProgressFormat.count(Int(shards), "shard")); start fewer workers, or raise --shards "
        + "(which changes the result)"
    case .otherKernels(let host, let name, let before):
      let others = before.map { $0.sanitized() }.joined(separator: ", ")
      return "warning: the worker on \(host.sanitized()) uses OpenBLAS's \(name.sanitized()) "
        + "kernels, others in this run used \(others): they add in another order, so the result "
        + "can differ in its last bits; MRDIB_BLAS_CORE chooses the same kernels for all"
    case .stopping(let outcome):
      if case .failed = outcome.ending { return "error: \(outcome.summary)" }
      return style == .quiet ? nil : ending(outcome)
    default: return style == .quiet ? nil : newsLine(for: event)
    }
  }

  private func newsLine(for event: RunEvent) -> String? {
    switch event {
    case .clusterFormed(let workers, let servers, let seconds):
      return "\(ProgressFormat.count(Int(workers), "worker")) and "
        + "\(ProgressFormat.count(Int(servers), "server")) are ready after "
        + ProgressFormat.duration(seconds)
    case .epochFinished(let summary): return epochLine(summary)
    case .evaluated(let summary): return evaluationLine(summary)
    case .improved(let metric, let value, let previous, let epoch):
      let before = previous.map { " (before \(ProgressFormat.number($0)))" } ?? ""
      return "epoch \(epoch)  best \(metric) so far \(ProgressFormat.number(value))\(before)"
    case .nodeJoined(let role, let rank, let host):
      // While the cluster forms, one line sums up all that join.
      return isFormed ? "\(role) \(rank) joined on \(host)" : nil
    case .recovering(let generation, let version):
      return "rolling back to version \(version) as generation \(generation)"
    case .resumed(let epoch, let version, let origin):
      return "the run resumes in epoch \(epoch) at version \(version), \(words(for: origin))"
    case .stopRequested(let reason):
      return "\(reason): writing a last checkpoint; repeat it to end the run at once"
    case .nodeLost, .nodeRefused, .idleWorkers, .epochStarted, .progress, .notImproved, .bestSaved,
      .bestNotSaved, .checkpointCommitted, .checkpointFailed, .checkpointOverdue,
      .checkpointSearchFailed, .awaitingWorkers, .waiting, .otherKernels, .stopping:
      return nil
    }
  }

  private func waitingLine(_ what: String, seconds: Double, limit: Double?) -> String {
    let end =
      limit.map { "the run ends after \(ProgressFormat.duration($0))" }
      ?? "a worker whose step takes longer than computation_timeout_ms counts as lost"
    return "warning: waiting for \(what), for \(ProgressFormat.duration(seconds)) so far; \(end)"
  }

  private func overdueLine(newest: UInt64?, dueCount: UInt64, slowest: String?) -> String {
    let last = newest.map { "the newest is of version \($0)" } ?? "there is none so far"
    let disk = slowest.map { "the disk of \($0)" } ?? "the disks of the checkpoints"
    return "warning: none of the last \(dueCount) checkpoints that were due was completed, "
      + "\(last); check \(disk), or write checkpoints less often"
  }

  private func words(for origin: RunOrigin) -> String {
    switch origin {
    case .initialValues: "from the initial values"
    case .checkpoint(let checkpoint): "from \(checkpoint.manifest)"
    case .adoption: "with the tables that the servers hold"
    }
  }

  private func epochLine(_ summary: EpochSummary) -> String {
    var parts = ["epoch \(summary.epoch)/\(epochs)"]
    let losses = ProgressFormat.losses(summary.values)
    if !losses.isEmpty { parts.append(losses) }
    if let staleness = ProgressFormat.staleness(summary.values) { parts.append(staleness) }
    if summary.seconds > 0 {
      let rate = Double(examplesPerEpoch) / summary.seconds
      parts.append("\(ProgressFormat.rate(rate)) examples/s")
    }
    parts.append(ProgressFormat.duration(summary.seconds))
    return parts.joined(separator: "  ")
  }

  /// Shows the headline metrics at 20 only; all metrics are in the files.
  private func evaluationLine(_ summary: EvaluationSummary) -> String {
    var parts = ["epoch \(summary.epoch)"]
    for name in summary.metrics.keys.sorted() where name.hasSuffix("@20") {
      let isShown = Metric.headline.contains { name.hasSuffix(".\($0.name(at: 20))") }
      if isShown { parts.append("\(name) \(ProgressFormat.number(summary.metrics[name] ?? 0))") }
    }
    parts.append(ProgressFormat.duration(summary.seconds))
    return parts.joined(separator: "  ")
  }

  private func ending(_ outcome: RunOutcome) -> String {
    let best = outcome.best.map {
      "; best epoch \($0.epoch) with \(ProgressFormat.number($0.value))"
    }
    return "done: \(outcome.summary)\(best ?? "")"
  }
}

/// Formats numbers and times for progress lines and tables.
package enum ProgressFormat {
  /// `1 worker`, `2 workers`.
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// `12s`, `3m05s`, `2h07m`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return String(format: "%dm%02ds", whole / 60, whole % 60) }
    return String(format: "%dh%02dm", whole / 3600, whole % 3600 / 60)
  }

  /// `812`, `45.1k`, `1.32M`.
  static func rate(_ value: Double) -> String {
    if value >= 1e6 { return String(format: "%.2fM", value / 1e6) }
    if value >= 1e4 { return String(format: "%.1fk", value / 1e3) }
    return String(format: "%.0f", value)
  }

  /// `loss 0.4123 (bpr 0.4012, l2 0.0111)` from `loss.total`, `loss.bpr`, `loss.l2`; empty
  /// without a total.
  static func losses(_ values: [String: Double]) -> String {
    guard let total = values["loss.total"] else { return "" }
    let parts = values.keys.filter { $0.hasPrefix("loss.") && $0 != "loss.total" }.sorted()
      .map { "\($0.dropFirst(5)) \(number(values[$0] ?? 0))" }
    let detail = parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    return "loss \(number(total))\(detail)"
  }

  /// `staleness 0.43 (at most 2)`; nil where it was not counted.
  static func staleness(_ values: [String: Double]) -> String? {
    StalenessCounts(values).map { "staleness \(number($0.mean)) (at most \($0.greatest))" }
  }

  package static func number(_ value: Double) -> String {
    let isPlain = value == 0 || (abs(value) >= 1e-3 && abs(value) < 1e5)
    return String(format: isPlain ? "%.4f" : "%.3e", value)
  }
}
