/// What a coordinator says, and in which of its terms: every start of a coordinator has a higher
/// one, and nodes obey only the highest that they have heard of.
public struct CoordinatorLetter: Sendable, Equatable {
  public var term: UInt64
  public var message: CoordinatorMessage

  public init(term: UInt64, message: CoordinatorMessage) {
    self.term = term
    self.message = message
  }
}

public enum CoordinatorMessage: Sendable, Equatable {
  case welcome(Welcome)
  /// All servers are up: where they answer, in rank order.
  case servers(generation: UInt64, endpoints: [String])
  case task(WorkerTask)
  case heartbeatSeen(generation: UInt64)
  /// The run is over (or given up); leave.
  case finish(reason: String, ending: RunEnding)
  case refused(Refusal)
  /// To servers: do not go beyond the version that the tables have, and say which one that is.
  case hold(generation: UInt64)
  /// To servers: go up to this version and no further, and write the rows of it.
  case checkpoint(generation: UInt64, version: UInt64)
  /// To servers: the file of this version was heard of.
  case checkpointSeen(generation: UInt64, version: UInt64)
}

/// Work that the coordinator gives to one worker.
public enum TaskBody: Sendable, Equatable {
  /// Compute the gradients of `shards` in every step of an epoch, whose first version is
  /// `firstVersion`, from `startVersion` on: every server has reached that one. Servers that are
  /// beyond it say so, and the worker goes on from where they are.
  case train(epoch: UInt32, firstVersion: UInt64, startVersion: UInt64, shards: [UInt32])
  /// Compute blocks of the final item (and user) matrices and push them as `assign`.
  case materialize(version: UInt64, epoch: UInt32, blocks: [UInt32])
  /// Rank all items for blocks of users and report metric sums per block.
  case rank(version: UInt64, epoch: UInt32, blocks: [UInt32])
}

/// Ids ascend: a task replaces the one that the worker has.
public struct WorkerTask: Sendable, Equatable {
  public var id: UInt64
  public var generation: UInt64
  public var body: TaskBody

  public init(id: UInt64, generation: UInt64, body: TaskBody) {
    self.id = id
    self.generation = generation
    self.body = body
  }
}

/// What the end of a run means for whoever starts its nodes.
public enum RunEnding: UInt32, Sendable {
  /// It came to its end, or was asked to.
  case orderly = 0
  /// It failed, and starting it again can help.
  case transientFailure = 1
  /// It failed, and starting it again cannot help.
  case permanentFailure = 2
}
