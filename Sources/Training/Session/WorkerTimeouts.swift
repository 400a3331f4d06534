/// After how long a worker stops waiting for what, seconds; infinite: never.
public struct WorkerTimeouts: Sendable, Equatable {
  /// Silence after which the run counts a process as lost.
  public var node: Double
  /// For a computation to come back: one step of a worker's shards, or one block.
  public var computation: Double

  public init(node: Double = .infinity, computation: Double = .infinity) {
    self.node = node
    self.computation = computation
  }
}
