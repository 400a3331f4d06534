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
    self.init((error as? TrainingError)?.kind ?? .failed, "\(error)")
  }
}
