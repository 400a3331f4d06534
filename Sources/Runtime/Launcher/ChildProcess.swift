import CProcess
import Files
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A started process, from its start until it is reaped. Used by one thread.
final class ChildProcess {
  let specification: ChildSpecification
  let processID: Int32
  let logPath: String
  /// Becomes readable when the process ends; negative where the system has no such thing.
  let descriptor: Int32
  private let startedAt: Double
  private let lifeline: Lifeline
  private(set) var result: ChildResult?

  /// Starts the process.
  ///
  /// It is killed with SIGKILL when the calling thread ends, however that happens: no role may
  /// train on without its launcher, and a process that hangs would not heed anything weaker. State
  /// that must survive (the run store) is written to survive exactly that.
  ///
  /// - Throws: ``RuntimeError`` if the log cannot be made or the program cannot be executed.
  init(_ specification: ChildSpecification, logPath: String, environment: [String: String])
    throws
  {
    let log =
      specification.writesToStandardError
      ? dup(STDERR_FILENO)
      : try RuntimeError.opening("write the log '\(logPath)'") { () throws(FileProblem) in
        try PlainFile.open(logPath, .append)
      }
    guard log >= 0 else {
      let code = errno
      throw RuntimeError.system(
        "write the log '\(logPath)'", errno: code,
        exitCode: [EMFILE, ENFILE].contains(code) ? .system : .cannotCreate)
    }
    defer { close(log) }
    let lifeline = try Lifeline(purpose: "start \(specification.name)")
    let inherited = lifeline.childEnd
    defer { lifeline.closeChildEnd() }
    let variables = environment.merging(specification.environment) { $1 }
      .merging([LifeSign.variable: "\(inherited)"]) { $1 }
    let isOwn = specification.executable == LocalLauncher.ownExecutable
    let name = isOwn ? CommandLine.arguments[0] : specification.executable
    let arguments = [name] + specification.arguments
    startedAt = MonotonicClock.seconds
    processID = Self.withCStrings(arguments) { arguments in
      Self.withCStrings(variables.map { "\($0.key)=\($0.value)" }.sorted()) { variables in
        cprocess_spawn(
          specification.executable, arguments, variables, log, inherited, SIGKILL,
          specification.nice)
      }
    }
    guard processID > 0 else {
      throw RuntimeError.system(
        "start \(specification.name) ('\(specification.executable)')", errno: errno,
        exitCode: .system)
    }
    self.specification = specification
    self.lifeline = lifeline
    self.logPath = specification.writesToStandardError ? "" : logPath
    descriptor = cprocess_descriptor(processID)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Signals the process and whatever it started in its group.
  func send(_ signal: Int32) {
    guard result == nil else { return }
    _ = kill(-processID, signal)
  }

  /// Whether the process has given a sign of life since the last call.
  func hasGivenSign() -> Bool { lifeline.takeSigns() }

  /// The result if the process has ended; reaps it at the first call after that.
  func poll() -> ChildResult? {
    if let result { return result }
    let hasEnded = cprocess_has_ended(processID)
    guard hasEnded != 0 else { return nil }
    // Its group must not outlive it. Until it is reaped its id cannot belong to anybody else.
    if hasEnded > 0 { _ = kill(-processID, SIGKILL) }
    var left = cprocess_result()
    if hasEnded < 0 || cprocess_reap(processID, &left) != 0 {
      // Somebody else reaped it: its code is unknown, which is not success.
      left.code = ExitCode.failure.rawValue
    }
    let result = ChildResult(
      name: specification.name, processID: processID,
      ending: left.code < 0 ? .signalled(-left.code) : .exited(left.code),
      userSeconds: left.user_seconds, systemSeconds: left.system_seconds,
      peakResidentBytes: UInt64(max(0, left.peak_resident_kibibytes)) * 1024,
      elapsedSeconds: MonotonicClock.seconds - startedAt, logPath: logPath)
    self.result = result
    return result
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}
