import Checkpoints
import Coordination
import Datasets
import Models
import RunConfiguration
import Transport

/// An error that knows with which code the program ends because of it.
public protocol ErrorWithExitCode: Error {
  var exitCode: ExitCode { get }
}

extension ExitCode {
  /// The code for an error that ended a command.
  public init(describing error: any Error) {
    switch error {
    case let error as any ErrorWithExitCode: self = error.exitCode
    case let error as DatasetError:
      self =
        switch error.kind {
        case .notFound, .unreadable: .inputMissing
        case .unwritable: .cannotCreate
        case .noDescriptor: .system
        case .malformed, .inconsistent, .changed: .dataMalformed
        case .configuration: .configuration
        }
    case is ConfigurationError, is ModelError: self = .configuration
    case let error as CoordinationError:
      self =
        switch error.code {
        case .storeUnusable: .inputOutput
        case .pathTooLong: .cannotCreate
        case .invalidPlan, .storeTooNew, .wrongRun, .superseded: .configuration
        }
    case let error as CheckpointError:
      self =
        switch error.code {
        case .cannotCreate: .cannotCreate
        case .inputOutput: .inputOutput
        case .noDescriptor: .system
        case .missing: .inputMissing
        case .damaged, .mismatch, .unsupported: .dataMalformed
        }
    case let error as TransportError:
      self =
        switch error.code {
        case .insecure: .usage
        case .invalidKey: .dataMalformed
        case .resourceLimit: .system
        default: .unavailable
        }
    default: self = .failure
    }
  }
}
