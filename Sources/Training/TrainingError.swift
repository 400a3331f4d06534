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
}

extension TaskFailure {
  /// What the coordinator is told of an error.
  public init(describing error: any Error) {
    let kind: Kind =
      switch error {
      case let error as TrainingError: error.kind
      case EvaluationError.scoreNotFinite: .diverged
      default: .failed
      }
    self.init(kind, "\(error)")
  }
}
