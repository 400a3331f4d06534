#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Signals in words, for people who do not know the numbers.
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

  /// What usually lies behind a signal, as the end of a sentence; empty when that is not
  /// known.
  static func hint(_ number: Int32) -> String {
    switch number {
    case SIGBUS: ": a memory-mapped file shrank or its disk failed"
    case SIGXFSZ: ": a file grew beyond the limit of file sizes (ulimit -f)"
    case SIGILL:
      ": an internal error, or an instruction that this processor does not have ('mrdib doctor' "
        + "names the kernels that were chosen)"
    case SIGTRAP: ": an internal error"
    case SIGSYS: ": a system call that the container or its sandbox forbids"
    default: ""
    }
  }
}
