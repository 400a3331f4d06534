internal import CProcess
import Files
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A process to start.
package struct ChildSpecification: Sendable, Equatable {
  /// Such as `worker-0`; names its log file `logs/NAME.log`.
  package var name: String
  /// Such as `worker`: children of one role can replace each other.
  package var role: String
  /// Path of the program.
  package var executable: String
  /// Without the program's own name.
  package var arguments: [String]
  /// In place of ``arguments`` when it is restarted; nil means the same.
  package var restartArguments: [String]?
  /// Added to the launcher's environment, replacing what is there under the same names.
  package var environment: [String: String]
  /// The user's signals are forwarded to the leader only, if there is one: the coordinator ends the
  /// run and informs the others, while nodes that left by themselves would count as lost.
  package var isLeader: Bool
  /// Whether the child writes to the launcher's own stderr instead of a log file.
  package var writesToStandardError: Bool
  /// By how much its nice value is higher than the launcher's: it gets less processor time.
  package var nice: Int32

  /// - Parameter role: default is the name: no other child can replace it.
  package init(
    name: String, role: String? = nil, executable: String = LocalLauncher.ownExecutable,
    arguments: [String], restartArguments: [String]? = nil, environment: [String: String] = [:],
    isLeader: Bool = false, writesToStandardError: Bool = false, nice: Int32 = 0
  ) {
    self.name = name
    self.role = role ?? name
    self.executable = executable
    self.arguments = arguments
    self.restartArguments = restartArguments
    self.environment = environment
    self.isLeader = isLeader
    self.writesToStandardError = writesToStandardError
    self.nice = nice
  }

  /// The specification with which it is restarted.
  var forRestart: ChildSpecification {
    var again = self
    again.arguments = restartArguments ?? arguments
    return again
  }
}

/// A child of the launcher: one process after another under the same name. Used by one thread.
final class SupervisedChild {
  let specification: ChildSpecification
  private let logPath: String
  private let environment: [String: String]
  private var process: ChildProcess
  /// How the last process ended, and what all of them used; nil while the first one runs.
  private(set) var result: ChildResult?
  private(set) var isRunning = true
  /// Whether the launcher has killed the running process.
  private var isKilled = false

  /// Starts the first process.
  ///
  /// - Throws: ``RuntimeError`` if it cannot be started.
  init(
    _ specification: ChildSpecification, logDirectory: String, environment: [String: String]
  ) throws {
    self.specification = specification
    self.environment = environment
    logPath = "\(logDirectory)/\(specification.name).log"
    process = try ChildProcess(specification, logPath: logPath, environment: environment)
  }

  /// ``result``, or a placeholder for a process that was killed and has not ended.
  var lastResult: ChildResult {
    result
      ?? ChildResult(
        name: specification.name, processID: process.processID, ending: .signalled(SIGKILL),
        userSeconds: 0, systemSeconds: 0, peakResidentBytes: 0, elapsedSeconds: 0,
        logPath: process.logPath)
  }

  /// Becomes readable when the running process ends; negative if the system does not support that.
  var descriptor: Int32 { process.descriptor }

  /// Whether the running process has sent a life sign since the last call.
  func hasGivenSign() -> Bool { process.hasGivenSign() }

  func send(_ signal: Int32) {
    if signal == SIGKILL { isKilled = true }
    process.send(signal)
  }

  /// The result once the running process has ended; reaps it. nil at every further call until
  /// another process is started.
  ///
  /// - Parameter isMemoryShort: whether the kernel has just killed processes for lack of memory.
  func poll(isMemoryShort: Bool = false) -> ChildResult? {
    guard isRunning, var last = process.poll() else { return nil }
    isRunning = false
    last.isOutOfMemory =
      last.ending == .signalled(SIGKILL) && !isKilled && isMemoryShort
    let result = last.after(self.result)
    self.result = result
    return result
  }

  /// Starts the next process, with the same log.
  ///
  /// - Throws: ``RuntimeError`` if it cannot be started; a retry is allowed.
  func restart() throws {
    precondition(!isRunning)
    process = try ChildProcess(
      specification.forRestart, logPath: logPath, environment: environment)
    isRunning = true
    isKilled = false
    result?.restarts += 1
  }
}

/// A started process, from its start until it is reaped. Used by one thread.
final class ChildProcess {
  let specification: ChildSpecification
  let processID: Int32
  let logPath: String
  /// Becomes readable when the process ends; negative if the system does not support that.
  let descriptor: Int32
  private let startedAt: Double
  private let lifeline: Lifeline
  private(set) var result: ChildResult?

  /// Starts the process.
  ///
  /// The kernel kills it with SIGKILL when the calling thread ends for any reason: no role may keep
  /// training without its launcher, and a hanging process would ignore a weaker signal. The run
  /// store is written so that it survives that.
  ///
  /// - Throws: ``RuntimeError`` if the log cannot be created or the program cannot be executed.
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

  /// Sends a signal to the process and its process group.
  func send(_ signal: Int32) {
    guard result == nil else { return }
    _ = kill(-processID, signal)
  }

  /// Whether the process has sent a life sign since the last call.
  func hasGivenSign() -> Bool { lifeline.takeSigns() }

  /// The result if the process has ended; reaps it at the first call after that.
  func poll() -> ChildResult? {
    if let result { return result }
    let hasEnded = cprocess_has_ended(processID)
    guard hasEnded != 0 else { return nil }
    // Its process group must not outlive it. The system does not reuse the id before it is reaped.
    if hasEnded > 0 { _ = kill(-processID, SIGKILL) }
    var left = cprocess_result()
    if hasEnded < 0 || cprocess_reap(processID, &left) != 0 {
      // Other code in this process reaped it: its exit code is unknown and counts as a failure.
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
