import Coordination

/// How a process tells its supervisor what happened: `sysexits.h` for what will not get better by
/// itself, 128 and above for what may, as Kubernetes operators for training jobs read them.
public struct ExitCode: RawRepresentable, Sendable, Equatable, Hashable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Done, also by early stopping.
  public static let success = ExitCode(rawValue: 0)
  /// A failure of no other kind.
  public static let failure = ExitCode(rawValue: 1)
  /// The command line makes no sense (`EX_USAGE`).
  public static let usage = ExitCode(rawValue: 64)
  /// Input data is malformed (`EX_DATAERR`).
  public static let dataMalformed = ExitCode(rawValue: 65)
  /// Input is missing or unreadable (`EX_NOINPUT`).
  public static let inputMissing = ExitCode(rawValue: 66)
  /// A service that is needed is absent, and waiting will not help (`EX_UNAVAILABLE`).
  public static let unavailable = ExitCode(rawValue: 69)
  /// An internal error, or a loss that is not a number any more (`EX_SOFTWARE`).
  public static let software = ExitCode(rawValue: 70)
  /// The system refused a resource: processes, descriptors (`EX_OSERR`).
  public static let system = ExitCode(rawValue: 71)
  /// Output cannot be made (`EX_CANTCREAT`).
  public static let cannotCreate = ExitCode(rawValue: 73)
  /// Reading or writing failed (`EX_IOERR`).
  public static let inputOutput = ExitCode(rawValue: 74)
  /// The configuration is invalid (`EX_CONFIG`).
  public static let configuration = ExitCode(rawValue: 78)
  /// Stopped by SIGINT.
  public static let interrupted = ExitCode(rawValue: 130)
  /// Stopped by SIGTERM.
  public static let terminated = ExitCode(rawValue: 143)
  /// A peer is lost or cannot be reached: start me again (128 + SIGUSR1).
  public static let transient = ExitCode(rawValue: 138)

  /// Of a process that a signal ended, or that ended because of it.
  public static func signal(_ number: Int32) -> ExitCode { ExitCode(rawValue: 128 + number) }

  public var isSuccess: Bool { rawValue == 0 }

  /// Whether starting the same command again will fail again.
  public var isPermanentFailure: Bool { (1..<128).contains(rawValue) }
}

extension ExitCode {
  /// The code of a coordinator whose run ended so; `stopSignal` is the signal that interrupted it.
  public init(_ outcome: RunOutcome, stopSignal: Int32 = 2) {
    switch outcome.ending {
    case .completed, .earlyStopped: self = .success
    case .interrupted: self = .signal(stopSignal)
    case .failed(let failure): self.init(failure)
    }
  }

  public init(_ failure: RunFailure) {
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
