import Messages

/// What the shell has to do, in order, after an event.
public enum CoordinatorAction: Sendable, Equatable {
  /// Goes out in a letter of the plan's term.
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
  /// Publish a checkpoint. Answer with `checkpointCommitted` or `checkpointCommitFailed`. There is
  /// one at a time.
  case commitCheckpoint(CheckpointCommit)
  /// Delete these files of servers: there will be no checkpoint of them. Nothing is answered.
  case discardCheckpointFiles([CheckpointShard])
  /// Make durable before any later action is performed.
  case record(RunRecord)
  /// Show to people.
  case report(RunEvent)
  /// The run is over. Always the last action; later events are answered with messages at most.
  case finish(RunOutcome)
}
