internal import CProcess

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The standard output and error output of this process, which may be closed or not read.
package enum ProcessOutput {
  /// Progress, logs and errors, on stderr. Lines that are not read in time are dropped and counted.
  package static let diagnostics = OutputWriter(descriptor: STDERR_FILENO, overflow: .dropsOldest)

  /// The results of a command, on stdout. Nothing is dropped.
  package static let results = OutputWriter(descriptor: STDOUT_FILENO, overflow: .waits)

  /// How long a process that ends waits until its stderr is read, seconds.
  package static let patience = 1.0

  /// Makes a write to a closed pipe an error of the call instead of a signal that ends the process.
  /// Call it at the start of the program.
  package static func ignoreBrokenPipes() { cprocess_ignore_broken_pipes() }

  /// Whether results were written.
  package enum Delivery: Equatable {
    case complete
    /// The reader closed the pipe.
    case unwanted
    /// With the reason.
    case lost(String)
  }

  /// Whether the results so far were written.
  package static var delivery: Delivery {
    switch results.failure {
    case nil: .complete
    case EPIPE: .unwanted
    case EBADF: .lost("it is closed")
    case let number?: .lost(String(cString: strerror(number)))
    }
  }
}
