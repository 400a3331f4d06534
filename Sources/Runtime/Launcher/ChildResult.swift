/// How a started process ended and what it used; with restarts: how the last one ended, and what
/// all of them used.
public struct ChildResult: Sendable, Equatable {
  public enum Ending: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  public var name: String
  public var processID: Int32
  public var ending: Ending
  public var userSeconds: Double
  public var systemSeconds: Double
  /// The most memory it held at once.
  public var peakResidentBytes: UInt64
  /// From its start to its end, without the time between two processes.
  public var elapsedSeconds: Double
  /// How often it was started again.
  public var restarts = 0
  /// Whether the kernel killed it, for lack of memory, as far as can be told.
  public var isOutOfMemory = false
  /// Empty when it wrote to the launcher's stderr.
  public var logPath: String

  public var cpuSeconds: Double { userSeconds + systemSeconds }

  /// This end of a process that came after others of the same name.
  func after(_ earlier: ChildResult?) -> ChildResult {
    guard let earlier else { return self }
    var result = self
    result.userSeconds += earlier.userSeconds
    result.systemSeconds += earlier.systemSeconds
    result.peakResidentBytes = max(peakResidentBytes, earlier.peakResidentBytes)
    result.elapsedSeconds += earlier.elapsedSeconds
    result.restarts += earlier.restarts
    return result
  }

  /// As a shell would report it: 128 + signal for a process that a signal ended.
  public var exitCode: ExitCode {
    switch ending {
    case .exited(let code): ExitCode(rawValue: code)
    case .signalled(let number): .signal(number)
    }
  }

  /// Such as `exit code 65` or `signal 9 (KILL)`.
  public var endingText: String {
    switch ending {
    case .exited(let code): "exit code \(code)"
    case .signalled(let number): "signal \(SignalName.describe(number))"
    }
  }

  /// Such as `worker-0 ended with exit code 65` or `worker-0 was killed by signal 9 (KILL)`.
  public var sentence: String {
    switch ending {
    case .exited: "\(name) ended with \(endingText)"
    case .signalled(let number):
      "\(name) was killed by \(endingText)"
        + (isOutOfMemory
          ? ": the kernel did it, for lack of memory (give it more, or take fewer workers)"
          : SignalName.hint(number))
    }
  }
}
