/// A place in the cluster, which one process after the other fills.
package enum Slot: Hashable, Sendable, CustomStringConvertible {
  case coordinator
  case server(Int)
  case worker(Int)

  package var description: String {
    switch self {
    case .coordinator: "coordinator"
    case .server(let number): "server-\(number)"
    case .worker(let number): "worker-\(number)"
    }
  }
}

/// One process: the n-th in its slot.
package struct ProcessName: Hashable, Sendable, CustomStringConvertible {
  package let slot: Slot
  package let life: Int

  package var description: String { "\(slot)/\(life)" }
}
