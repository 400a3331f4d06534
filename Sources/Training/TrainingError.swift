/// Why a worker cannot do its task.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) { self.description = description }
}
