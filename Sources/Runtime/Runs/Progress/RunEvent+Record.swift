import Coordinator
import Protocol

extension RunEvent {
  /// The event as a line of a log in JSON; nil for one that is not logged: how far a task is shows
  /// in the metrics.
  var record: LogRecord? {
    guard let (name, fields) = content else { return nil }
    let sentence = warning.map { LogRecord.Level.split($0).1 } ?? news.first
    var record = LogRecord(
      level: warning == nil ? .info : .warning, event: name,
      message: sentence ?? name.replacing("_", with: " "), fields: fields)
    record.message = LogRecord.Level.split(record.message).1
    if case .stopping(let outcome) = self {
      record.message = outcome.summary
      if case .failed = outcome.ending { record.level = .error }
    }
    return record
  }

  /// The name and the fields of the event.
  private var content: (String, [String: LogRecord.Value])? {
    switch self {
    case .nodeJoined(let role, let rank, let host):
      ("member_joined", Self.member(role, rank, host))
    case .nodeRefused(let role, let host, let reason):
      (
        "member_refused",
        ["role": .text(Self.name(role)), "host": .text(host), "reason": .text(reason)]
      )
    case .nodeLost(let role, let rank, let host, let how):
      (
        "member_lost",
        Self.member(role, rank, host).merging(["reason": .text(how)]) { first, _ in first }
      )
    case .awaitingWorkers(let seconds): ("no_worker", ["seconds": .number(seconds)])
    case .waiting(let what, let seconds, _):
      ("waiting", ["for": .text(what), "seconds": .number(seconds)])
    case .idleWorkers(let count, let shards):
      ("idle_workers", ["count": .whole(UInt64(count)), "shards": .whole(UInt64(shards))])
    case .otherKernels(let host, let name, _):
      ("other_kernels", ["host": .text(host), "kernels": .text(name)])
    case .clusterFormed(let workers, let servers, let seconds):
      (
        "cluster_formed",
        [
          "workers": .whole(UInt64(workers)), "servers": .whole(UInt64(servers)),
          "seconds": .number(seconds),
        ]
      )
    case .checkpointSearchFailed: ("checkpoint_search_failed", [:])
    case .olderCheckpoint: ("older_checkpoint", [:])
    case .recovering(let generation, let version):
      ("rollback", ["generation": .whole(generation), "version": .whole(version)])
    case .resumed(let epoch, let version, _):
      ("resumed", ["epoch": .whole(UInt64(epoch)), "version": .whole(version)])
    case .epochStarted(let epoch, let workers, _):
      ("epoch_started", ["epoch": .whole(UInt64(epoch)), "workers": .whole(UInt64(workers))])
    case .progress: nil
    case .epochFinished(let summary):
      (
        "epoch_finished",
        Self.numbers(summary.values).merging(
          [
            "epoch": .whole(UInt64(summary.epoch)), "version": .whole(summary.version),
            "seconds": .number(summary.seconds),
          ]) { _, own in own }
      )
    case .evaluated(let summary):
      (
        "evaluated",
        Self.numbers(summary.metrics).merging(
          [
            "epoch": .whole(UInt64(summary.epoch)), "version": .whole(summary.version),
            "seconds": .number(summary.seconds),
          ]) { _, own in own }
      )
    case .improved(let metric, let value, _, let epoch):
      (
        "improved",
        ["metric": .text(metric), "value": .number(value), "epoch": .whole(UInt64(epoch))]
      )
    case .notImproved(_, let count): ("not_improved", ["count": .whole(UInt64(count))])
    case .bestSaved(let epoch, let seconds):
      ("best_saved", ["epoch": .whole(UInt64(epoch)), "seconds": .number(seconds)])
    case .bestNotSaved(let epoch): ("best_not_saved", ["epoch": .whole(UInt64(epoch))])
    case .checkpointCommitted(let version, let seconds):
      ("checkpoint_committed", ["version": .whole(version), "seconds": .number(seconds)])
    case .checkpointFailed: ("checkpoint_failed", [:])
    case .checkpointOverdue(_, let dueCount, _):
      ("checkpoint_overdue", ["due": .whole(dueCount)])
    case .stopRequested(let reason): ("stop_requested", ["reason": .text(reason)])
    case .stopping(let outcome):
      (
        "run_ended",
        [
          "status": .text(outcome.status.rawValue),
          "epochs": .whole(UInt64(outcome.epochsFinished)),
        ]
      )
    }
  }

  private static func member(
    _ role: NodeRole, _ rank: UInt32, _ host: String
  ) -> [String: LogRecord.Value] {
    ["role": .text(name(role)), "rank": .whole(UInt64(rank)), "host": .text(host)]
  }

  private static func name(_ role: NodeRole) -> String { role == .worker ? "worker" : "server" }

  private static func numbers(_ values: [String: Double]) -> [String: LogRecord.Value] {
    values.mapValues { .number($0) }
  }
}
