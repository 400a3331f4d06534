import CProcess

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What this process says, where it may not be possible to say anything.
public enum ProcessOutput {
  /// Progress, logs and errors, on stderr. What nobody reads in time is dropped and counted.
  public static let news = OutputWriter(descriptor: STDERR_FILENO, overflow: .dropsOldest)

  /// What a command was asked for, on stdout. Nothing is dropped.
  public static let results = OutputWriter(descriptor: STDOUT_FILENO, overflow: .waits)

  /// How long a process that ends waits for those who read its news, seconds.
  public static let patience = 1.0

  /// Lets this process outlive those who read what it says: writing for nobody is an error of the
  /// call from now on, and ends no training. Call it first thing in a program.
  public static func outliveReaders() { cprocess_ignore_broken_pipes() }

  /// What became of results that were written.
  public enum Delivery: Equatable {
    case complete
    /// Who read it has left.
    case unwanted
    /// With the reason.
    case lost(String)
  }

  /// What became of the results that have been written so far.
  public static var delivery: Delivery {
    switch results.failure {
    case nil: .complete
    case EPIPE: .unwanted
    case EBADF: .lost("it is closed")
    case let number?: .lost(String(cString: strerror(number)))
    }
  }
}
