#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How a child process ended and what it used; after restarts: how the last process ended, and what
/// all of them used.
package struct ChildResult: Sendable, Equatable {
  package enum Ending: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  package var name: String
  package var processID: Int32
  package var ending: Ending
  package var userSeconds: Double
  package var systemSeconds: Double
  package var peakResidentBytes: UInt64
  /// From start to end, without the time between two processes.
  package var elapsedSeconds: Double
  /// How often it was restarted.
  package var restarts = 0
  /// Whether the kernel most probably killed it for lack of memory.
  package var isOutOfMemory = false
  /// Empty when it wrote to the launcher's stderr.
  package var logPath: String

  package var cpuSeconds: Double { userSeconds + systemSeconds }

  /// This result with the usage of earlier processes of the same child added.
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

  /// As a shell reports it: 128 + signal for a process that a signal ended.
  package var exitCode: ExitCode {
    switch ending {
    case .exited(let code): ExitCode(rawValue: code)
    case .signalled(let number): .signal(number)
    }
  }

  /// Such as `exit code 65` or `signal 9 (KILL)`.
  package var endingText: String {
    switch ending {
    case .exited(let code): "exit code \(code)"
    case .signalled(let number): "signal \(SignalName.describe(number))"
    }
  }

  /// Such as `worker-0 ended with exit code 65` or `worker-0 was killed by signal 9 (KILL)`.
  package var sentence: String {
    switch ending {
    case .exited: "\(name) ended with \(endingText)"
    case .signalled(let number):
      "\(name) was killed by \(endingText)"
        + (isOutOfMemory
          ? ": the kernel killed it for lack of memory (add memory, or use fewer workers)"
          : SignalName.hint(number))
    }
  }
}

/// Names of signals and their usual causes, for messages.
enum SignalName {
  private static let names: [Int32: String] = [
    SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP",
    SIGABRT: "ABRT", SIGBUS: "BUS", SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1",
    SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE", SIGALRM: "ALRM", SIGTERM: "TERM",
    SIGXCPU: "XCPU", SIGXFSZ: "XFSZ", SIGSYS: "SYS",
  ]

  /// Such as `9 (KILL)`; the number alone when it has no common name.
  static func describe(_ number: Int32) -> String {
    names[number].map { "\(number) (\($0))" } ?? "\(number)"
  }

  /// The usual cause of a signal, as the end of a sentence; empty if there is none.
  static func hint(_ number: Int32) -> String {
    switch number {
    case SIGBUS: ": a memory-mapped file shrank or its disk failed"
    case SIGXFSZ: ": a file grew beyond the limit of file sizes (ulimit -f)"
    case SIGILL:
      ": an internal error, or an instruction that this processor does not have ('mrdib doctor' "
        + "shows which kernels are used)"
    case SIGTRAP: ": an internal error"
    case SIGSYS: ": a system call that the container or its sandbox forbids"
    default: ""
    }
  }
}
