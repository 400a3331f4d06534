/// A message of the coordinator with its term. Every start of a coordinator has a higher term, and
/// nodes obey only the highest term that they know.
package struct CoordinatorEnvelope: Sendable, Equatable {
  package var term: UInt64
  package var message: CoordinatorMessage

  package init(term: UInt64, message: CoordinatorMessage) {
    self.term = term
    self.message = message
  }
}

package enum CoordinatorMessage: Sendable, Equatable {
  case welcome(Welcome)
  /// The servers' addresses in rank order. To workers when all servers are ready; to servers that
  /// copy their files when all have joined.
  case servers(generation: UInt64, endpoints: [String])
  case task(WorkerTask)
  case heartbeatAcknowledged(generation: UInt64)
  /// The run has ended or failed; leave.
  case finish(reason: String, ending: RunEnding)
  case refused(Refusal)
  /// To servers: stay at the current version of the tables, and report it.
  case hold(generation: UInt64)
  /// To servers: advance to this version, stop there, and write its rows.
  case checkpoint(generation: UInt64, version: UInt64)
  /// To servers: acknowledges ``NodeMessage/checkpointWritten(_:)`` of this version.
  case checkpointAcknowledged(generation: UInt64, version: UInt64)
  /// To servers that do not share a folder: the path and the text of a manifest that was written.
  case checkpointCommitted(manifest: String, content: String)
  /// To servers, whatever term they know: report what is on the disk.
  case inspect(DiskQuestion)
}

/// Work that the coordinator assigns to one worker.
package enum TaskBody: Sendable, Equatable {
  /// Compute the gradients of `shards` in every step of an epoch, whose first version is
  /// `firstVersion`, from `startVersion` on, which every server has reached. A server that has
  /// passed it refuses with `versionSuperseded`, and the worker continues at the server's version.
  case train(epoch: UInt32, firstVersion: UInt64, startVersion: UInt64, shards: [UInt32])
  /// Compute blocks of the final item (and user) matrices and push them as `assign`.
  case materialize(version: UInt64, epoch: UInt32, blocks: [UInt32])
  /// Rank all items for blocks of users and report metric sums per block.
  case rank(version: UInt64, epoch: UInt32, blocks: [UInt32])
}

/// A task with its id. Ids ascend: a task replaces the worker's current one.
package struct WorkerTask: Sendable, Equatable {
  package var id: UInt64
  package var generation: UInt64
  package var body: TaskBody

  package init(id: UInt64, generation: UInt64, body: TaskBody) {
    self.id = id
    self.generation = generation
    self.body = body
  }
}

/// How a run ended, which decides whether its nodes are started again.
package enum RunEnding: UInt32, Sendable {
  /// It has finished.
  case orderly = 0
  /// It failed, and a restart can help.
  case transientFailure = 1
  /// It failed, and a restart cannot help.
  case permanentFailure = 2
  /// It was stopped on request, and can be resumed.
  case stopped = 3
}
