import Coordinator
import Protocol
import Worker

/// What a ``CoordinatorNode`` needs of its process.
///
/// Jobs return at once. Their results come back through ``CoordinatorNode/finished(_:problems:)``
/// and ``CoordinatorNode/model(_:ofSaving:)``.
package protocol CoordinatorEnvironment: ConnectingEnvironment {
  /// Collects the rows of a best model.
  associatedtype ModelWriter: BestModelSink

  /// Sends a message to a node. What cannot be sent is logged: a lost node is noticed by its
  /// silence.
  func send(_ envelope: CoordinatorEnvelope, to peer: Peer)

  /// Makes a transition of the run durable before it returns.
  ///
  /// - Throws: an error with a sentence; `CoordinationError` with the code `superseded` if another
  ///   coordinator has taken the run over.
  func record(_ record: RunRecord) throws

  /// Records with which kernels a worker computes.
  func recordKernels(of hello: NodeHello) throws

  /// Takes the processor time that a member's heartbeat reports.
  ///
  /// - Parameter incarnation: of the process.
  func noteUsage(of role: NodeRole, incarnation: UInt64, cpuSeconds: Double)

  /// Shows an event to the user.
  func report(_ event: RunEvent)

  /// Shows what the run waits for at this moment, where there is something that can show it.
  /// Called at every tick of a wait.
  ///
  /// - Parameter secondsLeft: before the run ends, or before a silent member counts as lost.
  func showWait(for what: String, secondsLeft: Double)

  /// Job: `CoordinatorAction.findCheckpoint`.
  func findCheckpoint()

  /// Job: `CoordinatorAction.commitCheckpoint`.
  ///
  /// - Parameter keepers: the servers, by rank, one of which keeps a copy of the records; none if
  ///   the folder of the checkpoints is shared.
  func commitCheckpoint(_ commit: CheckpointCommit, keepers: [ServerPlace])

  /// Job without a result: `CoordinatorAction.copyRecords`.
  func copyRecords(to keepers: [ServerPlace])

  /// Job without a result: `CoordinatorAction.discardCheckpointFiles`.
  func discardCheckpointFiles(_ shards: [CheckpointShard])

  /// Job: creates the files of a best model, still without rows. Reports `begun` or `failed`.
  func makeModelFiles(_ request: BestModelRequest)

  /// Job: completes the files, which now have all rows, and makes them the best model of the run.
  /// The last report is `saved` or `failed`.
  func completeModelFiles(_ writer: ModelWriter, of request: BestModelRequest)

  /// The coordinator is done.
  func end(_ ending: CoordinatorEnding)
}

extension CoordinatorEnvironment {
  package func showWait(for what: String, secondsLeft: Double) {}

  package func noteUsage(of role: NodeRole, incarnation: UInt64, cpuSeconds: Double) {}

  package func copyRecords(to keepers: [ServerPlace]) {}
}

/// Collects the rows of a best model while they are read from the servers.
package protocol BestModelSink {
  /// The work that reads the rows and passes them to the sink.
  func reading(routing: TableRouting, generation: UInt64) -> ReadTablesWork
}

/// Which model to save.
package struct BestModelRequest: Sendable, Equatable {
  /// Counts the savings of a coordinator: results of an earlier one are ignored.
  package var number: UInt64
  package var epoch: UInt32
  package var version: UInt64
  package var generation: UInt64

  package init(number: UInt64, epoch: UInt32, version: UInt64, generation: UInt64) {
    self.number = number
    self.epoch = epoch
    self.version = version
    self.generation = generation
  }
}

/// A result of a job on the files of a best model.
package enum BestModelEvent<Writer> {
  /// The files exist, without rows.
  case begun(Writer)
  /// One of the files is complete.
  case moved
  case saved
  /// `isTransient`: a retry can succeed.
  case failed(String, isTransient: Bool)
}

extension BestModelEvent: Sendable where Writer: Sendable {}

/// How a coordinator ends.
package enum CoordinatorEnding {
  case finished(RunOutcome)
  /// The records cannot be written, or another coordinator has taken the run over.
  case failed(any Error, isSuperseded: Bool)
}
