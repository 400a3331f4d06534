import Coordinator
import Files
import Protocol

/// The sentences for events that are not part of a progress line.
extension RunEvent {
  /// The line of a warning or an error; nil for other events.
  var warning: String? {
    switch self {
    case .nodeRefused(_, let host, let reason): return "warning: refused \(host): \(reason)"
    case .nodeLost(let role, let rank, let host, let how):
      return "warning: \(role) \(rank) on \(host) is lost: \(how)"
    case .awaitingWorkers(let seconds):
      return "warning: no worker is left; the run ends unless one joins within "
        + ProgressFormat.duration(seconds)
    case .waiting(let what, let seconds, let limit):
      guard let limit else {
        return "warning: waiting for \(what), for \(ProgressFormat.duration(seconds)) so far; a "
          + "worker whose step takes longer than computation_timeout_ms counts as lost"
      }
      let left = ProgressFormat.countdown(max(0, limit - seconds))
      return "warning: waiting for \(what), \(left) left"
    case .checkpointFailed(let message):
      return "warning: a checkpoint failed, training continues without it: \(message)"
    case .checkpointOverdue(let newest, let dueCount, let slowest):
      return Self.overdue(newest: newest, dueCount: dueCount, slowest: slowest)
    case .bestNotSaved(let epoch):
      return
        "warning: the best model (epoch \(epoch)) is not saved yet; it will be saved when the run "
        + "resumes"
    case .checkpointSearchFailed(let message):
      return "warning: cannot determine the newest checkpoint, retrying: \(message)"
    case .olderCheckpoint(let message): return "warning: \(message)"
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
    case .nodeJoined, .clusterFormed, .recovering, .resumed, .epochStarted, .progress,
      .epochFinished, .evaluated, .improved, .notImproved, .bestSaved, .checkpointCommitted,
      .stopRequested, .stopping:
      return nil
    }
  }

  /// The lines of an event that is no warning; none for those of a progress line.
  var news: [String] {
    switch self {
    case .nodeJoined(let role, let rank, let host): ["\(role) \(rank) joined on \(host)"]
    case .recovering(let generation, let version):
      ["rolling back to version \(version) as generation \(generation)"]
    case .resumed(let epoch, let version, let origin):
      ["the run resumes in epoch \(epoch) at version \(version), \(Self.words(for: origin))"]
    case .stopRequested(let reason):
      ["\(reason): writing a last checkpoint; repeat it to end the run at once"]
    case .bestSaved(let epoch, let seconds):
      ["    model of epoch \(epoch) saved in \(ProgressFormat.precise(seconds))"]
    case .checkpointCommitted(let version, let seconds):
      ["    checkpoint of version \(version) complete after \(ProgressFormat.precise(seconds))"]
    case .stopping(let outcome):
      switch outcome.ending {
      case .completed, .earlyStopped: ["done: \(outcome.summary)"]
      // The process that ends says why.
      case .interrupted, .failed: []
      }
    default: []
    }
  }

  private static func overdue(newest: UInt64?, dueCount: UInt64, slowest: String?) -> String {
    let last = newest.map { "the newest is of version \($0)" } ?? "there is none so far"
    let disk = slowest.map { "the disk of \($0)" } ?? "the disks of the checkpoints"
    return "warning: none of the last \(dueCount) checkpoints that were due was completed, "
      + "\(last); check \(disk), or write checkpoints less often"
  }

  private static func words(for origin: RunOrigin) -> String {
    switch origin {
    case .initialValues: "from the initial values"
    case .checkpoint(let checkpoint): "from \(checkpoint.manifest)"
    case .adoption: "with the tables that the servers hold"
    }
  }
}
