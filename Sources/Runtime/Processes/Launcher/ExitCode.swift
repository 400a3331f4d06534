import Checkpoints
import Configuration
import Coordinator
import Datasets
import Recommenders
import Transport
import Web

/// The exit code of a process: codes of `sysexits.h` for permanent failures, 128 and above for
/// failures that a retry can overcome, as Kubernetes operators for training jobs expect.
package struct ExitCode: RawRepresentable, Sendable, Equatable, Hashable {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// Completed, also by early stopping.
  package static let success = ExitCode(rawValue: 0)
  /// Any other failure.
  package static let failure = ExitCode(rawValue: 1)
  /// The command line is invalid (`EX_USAGE`).
  package static let usage = ExitCode(rawValue: 64)
  /// Input data is malformed (`EX_DATAERR`).
  package static let dataMalformed = ExitCode(rawValue: 65)
  /// Input is missing or unreadable (`EX_NOINPUT`).
  package static let inputMissing = ExitCode(rawValue: 66)
  /// A required service is not available, and a retry will not help (`EX_UNAVAILABLE`).
  package static let unavailable = ExitCode(rawValue: 69)
  /// An internal error, or a loss that is not finite (`EX_SOFTWARE`).
  package static let software = ExitCode(rawValue: 70)
  /// The system refused a resource: processes, descriptors (`EX_OSERR`).
  package static let system = ExitCode(rawValue: 71)
  /// Output cannot be created (`EX_CANTCREAT`).
  package static let cannotCreate = ExitCode(rawValue: 73)
  /// Reading or writing failed (`EX_IOERR`).
  package static let inputOutput = ExitCode(rawValue: 74)
  /// The configuration is invalid (`EX_CONFIG`).
  package static let configuration = ExitCode(rawValue: 78)
  /// Stopped by SIGINT.
  package static let interrupted = ExitCode(rawValue: 130)
  /// Stopped by SIGTERM.
  package static let terminated = ExitCode(rawValue: 143)
  /// A peer is lost or cannot be reached; the same command can be retried (128 + SIGUSR1).
  package static let transient = ExitCode(rawValue: 138)

  /// The code of a process that a signal ended, or that exited because of it.
  package static func signal(_ number: Int32) -> ExitCode { ExitCode(rawValue: 128 + number) }

  /// How a run that ends because of a signal names the reason.
  static func reason(ofSignal number: Int32) -> String {
    number == 2 ? "Ctrl-C" : "a request to stop"
  }

  package var isSuccess: Bool { rawValue == 0 }

  /// Whether the same command would fail again.
  package var isPermanentFailure: Bool { (1..<128).contains(rawValue) }
}

extension ExitCode {
  /// The coordinator's code for an outcome; `stopSignal` is the signal that interrupted the run.
  package init(_ outcome: RunOutcome, stopSignal: Int32 = 2) {
    switch outcome.ending {
    case .completed, .earlyStopped: self = .success
    case .interrupted: self = .signal(stopSignal)
    case .failed(let failure): self.init(failure)
    }
  }

  package init(_ failure: RunFailure) {
    switch failure.kind {
    case .peerLost, .checkpointsUnreadable: self = .transient
    case .taskFailed: self = .failure
    case .dataChanged: self = .dataMalformed
    case .wrongAnswer, .diverged: self = .software
    case .metricMissing: self = .configuration
    case .bestNotSaved: self = .inputOutput
    case .checkpointsMissing, .recordsMissing: self = .inputMissing
    }
  }
}

/// An error that has the exit code of the program.
package protocol ErrorWithExitCode: Error {
  var exitCode: ExitCode { get }
}

extension ExitCode {
  /// The code for an error that ended a command.
  package init(describing error: any Error) {
    switch error {
    case let error as any ErrorWithExitCode: self = error.exitCode
    case let error as DatasetError:
      self =
        switch error.kind {
        case .notFound, .unreadable: .inputMissing
        case .unwritable: .cannotCreate
        case .tooManyOpenFiles: .system
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
        case .tooManyOpenFiles: .system
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
    case let error as WebError:
      self =
        switch error.code {
        case .invalidAddress: .usage
        case .tokenMissing: .inputMissing
        case .invalidToken: .dataMalformed
        case .resourceLimit: .system
        case .addressNotAvailable, .addressInUse, .permissionDenied, .failed: .unavailable
        }
    default: self = .failure
    }
  }
}
