/// A place in the cluster, which one process after the other fills.
public enum Slot: Hashable, Sendable, CustomStringConvertible {
  case coordinator
  case server(Int)
  case worker(Int)

  public var description: String {
    switch self {
    case .coordinator: "coordinator"
    case .server(let number): "server-\(number)"
    case .worker(let number): "worker-\(number)"
    }
  }
}

/// One process: the n-th in its slot.
public struct ProcessName: Hashable, Sendable, CustomStringConvertible {
  public let slot: Slot
  public let life: Int

  public var description: String { "\(slot)/\(life)" }
}
