import Checkpoints
import Datasets
import Transport

/// Errors that a retry can overcome: the system had no free descriptor, or no memory for the
/// network, at that moment. A crowd of unknown peers can cause this, and it passes.
enum TransientShortage {
  static func isCause(of error: any Error) -> Bool {
    switch error {
    case let error as CheckpointError: error.code == .tooManyOpenFiles
    case let error as DatasetError: error.kind == .tooManyOpenFiles
    case let error as TransportError: error.code == .resourceLimit
    default: false
    }
  }
}
