#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A member of a group: one process after the other under the same name. Used by one thread.
final class SupervisedChild {
  let specification: ChildSpecification
  private let logPath: String
  private let environment: [String: String]
  private var process: ChildProcess
  /// How the last process that ended did, and what all together used; nil while the first runs.
  private(set) var result: ChildResult?
  private(set) var isRunning = true
  /// Whether we have killed the running process.
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

  /// ``result``, or of a process that was killed and has not ended what is known.
  var lastResult: ChildResult {
    result
      ?? ChildResult(
        name: specification.name, processID: process.processID, ending: .signalled(SIGKILL),
        userSeconds: 0, systemSeconds: 0, peakResidentBytes: 0, elapsedSeconds: 0,
        logPath: process.logPath)
  }

  /// Of the running process; negative where the system has no such thing.
  var descriptor: Int32 { process.descriptor }

  /// Whether the running process has given a sign of life since the last call.
  func hasGivenSign() -> Bool { process.hasGivenSign() }

  func send(_ signal: Int32) {
    if signal == SIGKILL { isKilled = true }
    process.send(signal)
  }

  /// The result once the running process has ended; reaps it. Nil at every further call until
  /// another one was started.
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

  /// Starts the next process, in the same log.
  ///
  /// - Throws: ``RuntimeError`` if it cannot be started; it may be tried again.
  func restart() throws {
    precondition(!isRunning)
    process = try ChildProcess(
      specification.forRestart, logPath: logPath, environment: environment)
    isRunning = true
    isKilled = false
    result?.restarts += 1
  }
}
