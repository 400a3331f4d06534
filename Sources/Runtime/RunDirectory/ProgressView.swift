import Coordination
import Evaluation
import ForeignText
import Messages

/// Turns the events of a run into lines for people: a value without a terminal and a clock.
///
/// Epochs are counted from 0, as in all files.
public struct ProgressView: Sendable, Equatable {
  public enum Output: Sendable, Equatable {
    /// A line that stays.
    case line(String)
    /// The line that the next output replaces.
    case status(String)
  }

  private let style: ProgressStyle
  private let epochs: UInt32
  private let examplesPerEpoch: UInt64
  private var firstEpochAt: Double?
  /// What this process did not train: a run that goes on begins later.
  private var epochsBefore: UInt32 = 0
  private var isFormed = false
  private var epochAt = 0.0
  private var epochsFinished: UInt32 = 0
  private var losses = ""
  private var lastShownAt: Double?

  /// - Parameters:
  ///   - epochs: how many are trained at most.
  ///   - examplesPerEpoch: training interactions.
  public init(style: ProgressStyle, epochs: UInt32, examplesPerEpoch: UInt64) {
    self.style = style
    self.epochs = epochs
    self.examplesPerEpoch = examplesPerEpoch
  }

  /// - Parameter now: seconds on a monotonic clock.
  public mutating func handle(_ event: RunEvent, at now: Double) -> [Output] {
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
    return [.line(line.printable())]
  }

  private mutating func show(
    _ activity: RunEvent.Activity, epoch: UInt32, done: UInt64, total: UInt64, at now: Double
  ) -> [Output] {
    let text = statusText(activity, epoch: epoch, done: done, total: total, at: now)
    switch style {
    case .rewriting(let width): return [.status(String(text.printable().prefix(width - 1)))]
    case .plain(let interval):
      guard now - (lastShownAt ?? -.infinity) >= interval else { return [] }
      lastShownAt = now
      return [.line(text.printable())]
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

  /// The line of an event that is worth keeping in this style.
  private func lastingLine(for event: RunEvent) -> String? {
    switch event {
    case .nodeRefused(_, let host, let reason): return "warning: refused \(host): \(reason)"
    case .nodeLost(let role, let rank, let host, let how):
      return "warning: \(role) \(rank) on \(host) is lost: \(how)"
    case .awaitingWorkers(let seconds):
      return "warning: no worker is left; start one within \(ProgressFormat.duration(seconds))"
    case .waiting(let what, let seconds, let limit):
      return waitingLine(what, seconds: seconds, limit: limit)
    case .checkpointFailed(let message):
      return "warning: a checkpoint failed, training goes on without it: \(message)"
    case .checkpointOverdue(let newest, let dueCount, let slowest):
      return overdueLine(newest: newest, dueCount: dueCount, slowest: slowest)
    case .bestNotSaved(let epoch):
      return
        "warning: the best model, of epoch \(epoch), is not saved yet; it is when the run goes "
        + "on"
    case .checkpointSearchFailed(let message):
      return "warning: no checkpoint can be told to be the newest, looking again: \(message)"
    case .idleWorkers(let count, let shards):
      return "warning: \(count) of the workers have nothing to train, a batch has only \(shards) "
        + "shards; raise --shards (another result) or start fewer workers"
    case .otherKernels(let host, let name, let before):
      let others = before.map { $0.shown() }.joined(separator: ", ")
      return "warning: the worker on \(host.shown()) computes with the \(name.shown()) kernels of "
        + "OpenBLAS, and \(others) computed in this run, "
        + "too: they add in another order, so that the run can end in other bits; "
        + "MRDIB_BLAS_CORE chooses the same for all"
    case .stopping(let outcome):
      if case .failed = outcome.ending { return "error: \(outcome.summary)" }
      return style == .quiet ? nil : ending(outcome)
    default: return style == .quiet ? nil : newsLine(for: event)
    }
  }

  private func newsLine(for event: RunEvent) -> String? {
    switch event {
    case .clusterFormed(let workers, let servers, let seconds):
      return "\(workers) workers and \(servers) servers are ready after "
        + ProgressFormat.duration(seconds)
    case .epochFinished(let summary): return epochLine(summary)
    case .evaluated(let summary): return evaluationLine(summary)
    case .improved(let metric, let value, let previous, let epoch):
      let before = previous.map { " (before \(ProgressFormat.number($0)))" } ?? ""
      return "epoch \(epoch)  best \(metric) so far \(ProgressFormat.number(value))\(before)"
    case .nodeJoined(let role, let rank, let host):
      // While the cluster forms everybody joins.
      return isFormed ? "\(role) \(rank) joined on \(host)" : nil
    case .recovering(let generation, let version):
      return "going back to version \(version) as generation \(generation)"
    case .resumed(let epoch, let version, let origin):
      return "the run goes on in epoch \(epoch) at version \(version), \(words(for: origin))"
    case .stopRequested(let reason):
      return "\(reason): writing a last checkpoint; once more ends at once"
    case .nodeLost, .nodeRefused, .idleWorkers, .epochStarted, .progress, .notImproved, .bestSaved,
      .bestNotSaved, .checkpointCommitted, .checkpointFailed, .checkpointOverdue,
      .checkpointSearchFailed, .awaitingWorkers, .waiting, .otherKernels, .stopping:
      return nil
    }
  }

  private func waitingLine(_ what: String, seconds: Double, limit: Double?) -> String {
    let end =
      limit.map { "the run ends after \(ProgressFormat.duration($0))" }
      ?? "a worker whose step takes longer than computation_timeout_ms is given up"
    return "warning: waiting for \(what), for \(ProgressFormat.duration(seconds)) so far; \(end)"
  }

  private func overdueLine(newest: UInt64?, dueCount: UInt64, slowest: String?) -> String {
    let last = newest.map { "the newest is of version \($0)" } ?? "there is none so far"
    let disk = slowest.map { "the disk of \($0)" } ?? "the disks of the checkpoints"
    return "warning: no checkpoint came of the last \(dueCount) versions that were due, \(last); "
      + "look at \(disk), or write checkpoints less often"
  }

  private func words(for origin: RunOrigin) -> String {
    switch origin {
    case .initialValues: "from the initial values"
    case .checkpoint(let checkpoint): "from \(checkpoint.manifest)"
    case .adoption: "with the servers as they are"
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

  /// The headline metrics at 20 as an orientation; all metrics are in the files.
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
