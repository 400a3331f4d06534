import Protocol

/// The coordinator's name for a node: the incarnation of its hello, fresh for every process. The
/// node maps it to whatever its transport calls the peer.
package typealias NodeID = UInt64

/// What happens to a coordinator.
package enum CoordinatorEvent: Sendable, Equatable {
  case message(NodeMessage, from: NodeID)
  /// A message of a node cannot be read; `message` is the reader's sentence.
  case undecodable(from: NodeID, message: String)
  /// Time passes; to be sent at least every heartbeat interval.
  case tick
  /// Time passes likewise, and the node has received messages that it has not passed on yet.
  case tickWhileBehind
  /// The node knows that the node's process has ended. (The state notices silence itself.)
  case nodeGone(NodeID)
  /// Some more of what `CoordinatorAction.saveBest` asked for has come from the servers, or is on
  /// the disk.
  case bestSaveMoved
  /// The files of the best model are written, as `CoordinatorAction.saveBest` asked for.
  case bestSaved
  /// They could not be written. Transient: a server did not answer, so that another try can help.
  case bestSaveFailed(String, isTransient: Bool)
  /// An answer to ``CoordinatorAction/findCheckpoint``: nil if all that are there are damaged.
  case checkpointFound(RestoredCheckpoint?)
  /// Another answer, where the files of servers are on their own disks: the checkpoints of the run,
  /// the newest first. Which of them have all files is for the servers to say.
  case checkpointsListed([ListedCheckpoint])
  /// Another answer: there is none of the run at all, not even a damaged one.
  case noCheckpoint
  /// Another answer: the disk could not be read, so that it is not known which one is the newest.
  case checkpointSearchFailed(String)
  /// The manifest that ``CoordinatorAction/commitCheckpoint(_:)`` asked for is on the disk.
  case checkpointCommitted(CommittedCheckpoint)
  /// It could not be written.
  case checkpointCommitFailed(version: UInt64, message: String)
  /// A person or a supervisor wants the run to end, `reason` such as `Ctrl-C`. Asked for twice, it
  /// ends at once.
  case stopRequested(reason: String)
}

/// A checkpoint whose files are on servers' disks.
package struct ListedCheckpoint: Sendable, Equatable {
  package var restored: RestoredCheckpoint
  package var name: DiskQuestion.Checkpoint
  /// The file of each server that wrote it.
  package var rows: [HeldRows]

  package init(
    restored: RestoredCheckpoint, name: DiskQuestion.Checkpoint, rows: [HeldRows]
  ) {
    self.restored = restored
    self.name = name
    self.rows = rows
  }
}

/// What the node has to do, in order, after an event.
package enum CoordinatorAction: Sendable, Equatable {
  /// To be sent in an envelope of the plan's term.
  case send(CoordinatorMessage, to: NodeID)
  /// Pull the final matrices and the parameters, which have `version`, from the servers at
  /// `endpoints` (by rank, greeted with `generation`) and write them as the best model. Answer with
  /// `bestSaved` or `bestSaveFailed`, and before with `bestSaveMoved` whenever rows have come
  /// or a file is complete; no step is trained until then.
  case saveBest(epoch: UInt32, version: UInt64, generation: UInt64, endpoints: [String])
  /// Drop the saving under way, and answer nothing.
  case cancelSave
  /// Look for the newest checkpoint whose files are whole. Answer with `checkpointFound`,
  /// `noCheckpoint` or `checkpointSearchFailed`.
  case findCheckpoint
  /// Publish a checkpoint, first having copied the records to another disk if the folder of the
  /// checkpoints is not shared. Answer with `checkpointCommitted` or `checkpointCommitFailed`.
  /// There is one at a time.
  case commitCheckpoint(CheckpointCommit)
  /// Copy the records, with the newest checkpoint, to another disk if they are not there: a server
  /// may have come with an empty one. Nothing is answered.
  case copyRecords
  /// Delete these files of servers: there will be no checkpoint of them. Nothing is answered.
  case discardCheckpointFiles([CheckpointShard])
  /// Make durable before any later action is performed.
  case record(RunRecord)
  /// Show to the user.
  case report(RunEvent)
  /// The run is over. Always the last action; later events are answered with messages at most.
  case finish(RunOutcome)
}
