internal import CProcess
import Files
import Synchronization

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

  /// Whether the results of this process go to a terminal.
  package static var isResultsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  private static let ownLog = Mutex<ProcessLog?>(nil)

  /// The log file of this process, if it has one.
  package static var log: ProcessLog? { ownLog.withLock { $0 } }

  /// Keeps a log from now on, at the end of a file: what goes to stderr, and progress with all
  /// details.
  ///
  /// - Parameter name: of this process, such as `server-0`.
  /// - Throws: `FileProblem` if the file cannot be opened.
  package static func keepLog(at path: String, of name: String) throws(FileProblem) {
    let log = try ProcessLog(path, of: name, standardError: diagnostics)
    ownLog.withLock { $0 = log }
  }

  /// Writes a line to stderr and to the log.
  package static func report(_ line: String) {
    diagnostics.write(LogFormat.line(line))
    log?.note(line)
  }

  /// Writes a record to stderr and to the log, in JSON.
  package static func report(_ record: LogRecord) {
    let line = record.line
    diagnostics.write(line)
    log?.write(line)
  }

  /// Writes a line to stderr while another process shows a status there, which is erased.
  package static func reportOverStatus(_ line: String) {
    if case .rewriting = ProgressStyle.onStandardError(isQuiet: false) {
      diagnostics.assumeStatus()
    }
    if LogFormat.current == .json {
      report(LogRecord(level: .warning, message: LogRecord.Level.split(line).1))
    } else {
      report(line)
    }
  }

  /// Writes text, whole lines with a time of their own, to stderr and to the log.
  package static func write(log text: String) {
    diagnostics.write(text)
    log?.write(text)
  }

  /// Waits shortly until stderr and the log are written.
  package static func flushDiagnostics() {
    _ = diagnostics.flush(within: patience)
    _ = log?.flush(within: patience)
  }

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
