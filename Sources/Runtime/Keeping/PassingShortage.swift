import Checkpoints
import Datasets
import Transport

/// Errors that say nothing of what was attempted: the system had no descriptor, or no memory for
/// the network, at that moment. Strangers can cause that, and it passes.
enum PassingShortage {
  static func caused(_ error: any Error) -> Bool {
    switch error {
    case let error as CheckpointError: error.code == .noDescriptor
    case let error as DatasetError: error.kind == .noDescriptor
    case let error as TransportError: error.code == .resourceLimit
    default: false
    }
  }
}
