import Files
import Foundation
import Transport

/// Stops a run that is being trained, as Ctrl-C in its terminal would: the servers write a last
/// checkpoint, and the same command resumes it.
package struct RunStop: Sendable {
  private let directory: String
  private let process: Int32

  /// Finds the process that trains a run.
  ///
  /// - Throws: ``RuntimeError`` if none does, or it cannot be stopped from here; then the message
  ///   says where and how.
  package init(of run: ListedRun) throws {
    directory = run.folder
    switch RunLockHolder(of: run.folder) {
    case .process(let id): process = id
    case .none where run.state == .running:
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot stop the run in '\(run.folder)' alone: a sweep trains it. Stop the sweep, "
          + "with Ctrl-C or 'kill -TERM \(run.process.map(String.init) ?? "PROCESS")'.")
    case .none:
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot stop the run in '\(run.folder)': no process trains it; its state is "
          + "\(run.state.rawValue).")
    case .unknown(let id):
      throw RuntimeError(
        exitCode: .unavailable,
        message: "Cannot stop the run in '\(run.folder)' from here: it was started on "
          + "\(run.host ?? "another machine") by \(run.owner ?? "another user"). As that user "
          + "there: 'kill -TERM \(id.map(String.init) ?? "PROCESS")', or 'mrdib runs stop'; in a "
          + "container, a pod or a job, let its engine stop it (SIGTERM).")
    }
  }

  /// Asks the process to stop and waits until it has ended.
  ///
  /// - Parameter seconds: how long to wait at most; 0: not at all.
  /// - Returns: whether it has ended.
  /// - Throws: ``RuntimeError`` if the process may not be stopped by this user.
  package func request(waiting seconds: Double) throws -> Bool {
    guard kill(process, SIGTERM) == 0 || errno == ESRCH else {
      throw RuntimeError.system(
        "stop process \(process), which trains the run in '\(directory)'", errno: errno,
        exitCode: .system)
    }
    let deadline = MonotonicClock.seconds + seconds
    while RunLockHolder(of: directory) == .process(process) {
      guard MonotonicClock.seconds < deadline else { return false }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return true
  }
}
