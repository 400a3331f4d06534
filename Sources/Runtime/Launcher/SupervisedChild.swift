/// A member of a group: one process after the other under the same name. Used by one thread.
final class SupervisedChild {
  let specification: ChildSpecification
  private let logPath: String
  private let environment: [String: String]
  private var process: ChildProcess
  /// How the last process that ended did, and what all together used; nil while the first runs.
  private(set) var result: ChildResult?
  private(set) var isRunning = true

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

  /// Of the running process; negative where the system has no such thing.
  var descriptor: Int32 { process.descriptor }

  /// Whether the running process has given a sign of life since the last call.
  func hasGivenSign() -> Bool { process.hasGivenSign() }

  func send(_ signal: Int32) { process.send(signal) }

  /// The result once the running process has ended; reaps it. Nil at every further call until
  /// another one was started.
  func poll() -> ChildResult? {
    guard isRunning, let last = process.poll() else { return nil }
    isRunning = false
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
    result?.restarts += 1
  }
}
