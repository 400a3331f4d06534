import Coordinator
import Nodes

/// What the coordinator's queues report to its node's thread.
enum CoordinatorReport: Sendable {
  /// The run directory or a file in it was moved or replaced; the error names it.
  case displaced(any Error)
  /// The result of a job on checkpoints, and the problems of those that were skipped.
  case checkpoints(CoordinatorEvent, problems: [String])
  /// Of the saving of this number.
  case model(BestModelEvent<BestModelWriter>, saving: UInt64)
}

extension CoordinatorNode where Environment.ModelWriter == BestModelWriter {
  func take(_ news: CoordinatorReport) {
    switch news {
    case .displaced(let error): fail(error)
    case .checkpoints(let event, let problems): finished(event, problems: problems)
    case .model(let event, let number): model(event, ofSaving: number)
    }
  }
}
