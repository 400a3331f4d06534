internal import Datasets
internal import Evaluation
public import Messages

/// Why a worker cannot do its task.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
  public let kind: TaskFailure.Kind
  public let description: String

  public init(_ description: String, kind: TaskFailure.Kind = .failed) {
    self.kind = kind
    self.description = description
  }

  /// Rows of a version are needed that the servers do not have any more.
  init(_ version: UInt64, isGone present: UInt64) {
    self.init(
      "Cannot read the rows of version \(version): the servers have gone on to version \(present).")
  }
}

extension TaskFailure {
  /// What the coordinator is told of an error.
  public init(describing error: any Error) {
    let kind: Kind =
      switch error {
      case let error as TrainingError: error.kind
      case EvaluationError.scoreNotFinite: .diverged
      case let error as DatasetError where error.kind == .changed: .dataChanged
      default: .failed
      }
    self.init(kind, "\(error)")
  }
}
