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

  /// Keeps with which kernels a worker computes.
  func recordKernels(of hello: NodeHello) throws

  /// Shows an event to people.
  func report(_ event: RunEvent)

  /// Job: `CoordinatorAction.findCheckpoint`.
  func findCheckpoint()

  /// Job: `CoordinatorAction.commitCheckpoint`.
  func commitCheckpoint(_ commit: CheckpointCommit)

  /// Job without a result: `CoordinatorAction.discardCheckpointFiles`.
  func discardCheckpointFiles(_ shards: [CheckpointShard])

  /// Job: makes the files of a best model, which lack their rows then. Reports `begun` or `failed`.
  func makeModelFiles(_ request: BestModelRequest)

  /// Job: completes the files, which have all rows now, and makes them the best model of the run.
  /// The last report is `saved` or `failed`.
  func completeModelFiles(_ writer: ModelWriter, of request: BestModelRequest)

  /// The coordinator is done.
  func end(_ ending: CoordinatorEnding)
}

/// What collects the rows of a best model while they are read from the servers.
package protocol BestModelSink {
  /// The work that reads the rows and hands them to the sink.
  func reading(routing: TableRouting, generation: UInt64) -> ReadTablesWork
}

/// Which model is to be saved.
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

/// What became of a job on the files of a best model.
package enum BestModelEvent<Writer> {
  /// The files are made and lack their rows.
  case begun(Writer)
  /// One of the files is complete.
  case moved
  case saved
  /// `isTransient`: another try can succeed.
  case failed(String, isTransient: Bool)
}

extension BestModelEvent: Sendable where Writer: Sendable {}

/// How a coordinator ends.
package enum CoordinatorEnding {
  case finished(RunOutcome)
  /// The records cannot be written, or another coordinator has taken the run over.
  case failed(any Error, isSuperseded: Bool)
}
